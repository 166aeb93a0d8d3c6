using System.Text.Json;

namespace Hardway.Lab.CommandLine;

/// <summary>A list of objects in a view's JSON.</summary>
internal static class JsonObjects
{
    public static void Write<T>(Utf8JsonWriter writer, string name, IReadOnlyList<T> items, Action<T> fields)
    {
        writer.WriteStartArray(name);
        foreach (var item in items)
        {
            writer.WriteStartObject();
            fields(item);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }
}
