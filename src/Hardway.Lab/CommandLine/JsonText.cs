using System.Text;
using System.Text.Json;
using Hardway.Provisioning.Steps;

namespace Hardway.Lab.CommandLine;

/// <summary>One JSON object as one line.</summary>
internal static class JsonText
{
    public static string Write(Action<Utf8JsonWriter> fields)
    {
        var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            fields(writer);
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    public static void Items(Utf8JsonWriter writer, string name, IReadOnlyList<StepItem> items) => JsonObjects.Write(writer, name, items, item =>
    {
        writer.WriteString("kind", item.Kind);
        writer.WriteString("name", item.Name);
        if (item.Detail.Length > 0) writer.WriteString("detail", item.Detail);
    });

    public static void Strings(Utf8JsonWriter writer, string name, IReadOnlyList<string> values)
    {
        if (values.Count == 0) return;
        writer.WriteStartArray(name);
        foreach (var value in values) writer.WriteStringValue(value);
        writer.WriteEndArray();
    }
}
