using System.Text.Json;
using Hardway.Api;
using Hardway.Api.Meta.V1;

namespace Hardway.Client;

/// <summary>Cuts list bodies and watch events into the bytes of their objects, so that each is decoded once, by its type.</summary>
internal static class Frames
{
    public static ListPage<T> ReadList<T>(ReadOnlySpan<byte> body) where T : ApiStruct, IApiType<T>, new()
    {
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = ApiJson.MaxDepth });
        ListMeta meta = new();
        List<T> items = [];
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isMeta = reader.ValueTextEquals("metadata"u8);
            var isItems = reader.ValueTextEquals("items"u8);
            reader.Read();
            if (isMeta) meta = ApiJson.Deserialize<ListMeta>(Take(body, ref reader));
            else if (isItems && reader.TokenType == JsonTokenType.StartArray)
            {
                while (reader.Read() && reader.TokenType == JsonTokenType.StartObject) items.Add(ApiJson.Deserialize<T>(Take(body, ref reader)));
            }
            else reader.Skip();
        }
        return new ListPage<T>(items, meta.ResourceVersion, meta.Continue);
    }

    /// <summary>One line of a watch: its type, and where in the line its object is.</summary>
    public static (WatchEventType Type, Range Object) ReadEvent(ReadOnlySpan<byte> line)
    {
        var reader = new Utf8JsonReader(line, new JsonReaderOptions { MaxDepth = ApiJson.MaxDepth });
        var type = WatchEventType.Unknown;
        var found = default(Range);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isType = reader.ValueTextEquals("type"u8);
            var isObject = reader.ValueTextEquals("object"u8);
            reader.Read();
            if (isType) type = TypeOf(ref reader);
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (isObject) found = start..(int)reader.BytesConsumed;
        }
        return (type, found);
    }

    private static ReadOnlySpan<byte> Take(ReadOnlySpan<byte> body, ref Utf8JsonReader reader)
    {
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return body[start..(int)reader.BytesConsumed];
    }

    private static WatchEventType TypeOf(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("ADDED"u8) ? WatchEventType.Added
        : reader.ValueTextEquals("MODIFIED"u8) ? WatchEventType.Modified
        : reader.ValueTextEquals("DELETED"u8) ? WatchEventType.Deleted
        : reader.ValueTextEquals("BOOKMARK"u8) ? WatchEventType.Bookmark
        : reader.ValueTextEquals("ERROR"u8) ? WatchEventType.Error
        : WatchEventType.Unknown;
}

/// <summary>One page of a list; <see cref="Continue"/> is empty on the last.</summary>
public sealed record ListPage<T>(List<T> Items, string ResourceVersion, string Continue);

public enum WatchEventType { Unknown, Added, Modified, Deleted, Bookmark, Error }

/// <summary>One event of a watch. A bookmark's object has only its resource version; errors are thrown as <see cref="ApiException"/>.</summary>
public readonly record struct WatchEvent<T>(WatchEventType Type, T Object);
