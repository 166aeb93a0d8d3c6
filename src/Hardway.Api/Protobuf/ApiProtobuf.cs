namespace Hardway.Api.Protobuf;

/// <summary>The envelope of a protobuf body: what kind it is, and the message.</summary>
public readonly record struct ProtoEnvelope(string ApiVersion, string Kind, ReadOnlyMemory<byte> Message);

/// <summary>
/// application/vnd.kubernetes.protobuf by the schema: four bytes "k8s\0", an envelope (runtime.Unknown) with version and kind, then the message.
/// </summary>
public static class ApiProtobuf
{
    public const string MediaType = "application/vnd.kubernetes.protobuf";

    private static ReadOnlySpan<byte> Magic => "k8s\0"u8;

    public static bool IsProtobuf(ReadOnlySpan<byte> data) => data.StartsWith(Magic);

    /// <exception cref="ApiDecodeException">The body is no such envelope.</exception>
    public static ProtoEnvelope ReadEnvelope(ReadOnlyMemory<byte> body)
    {
        if (!IsProtobuf(body.Span))
        {
            throw ProtoReader.Broken("it does not begin as Kubernetes' protobuf does");
        }

        var reader = new ProtoReader(body.Span[Magic.Length..]);
        string version = "", kind = "";
        ReadOnlyMemory<byte> message = default;
        while (reader.Next())
        {
            switch (reader.Number)
            {
                case 1:
                    (version, kind) = ReadTypeMeta(reader.ExpectBytes());
                    break;
                case 2:
                    var length = reader.ExpectBytes().Length;
                    message = body.Slice(body.Length - reader.Left - length, length);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return new ProtoEnvelope(version, kind, message);
    }

    /// <summary>Reads a message of a type. A kind carries what the envelope says.</summary>
    /// <exception cref="ApiDecodeException">The message does not fit the type.</exception>
    public static ApiStruct Deserialize(TypeSchema type, ReadOnlyMemory<byte> body)
    {
        var envelope = ReadEnvelope(body);
        var value = new MessageReader(nested: false).Read(type, envelope.Message.Span);
        SetEnvelope(value, envelope);
        return value;
    }

    /// <summary>The body of a kind: envelope and message.</summary>
    public static byte[] Serialize(ApiStruct value)
    {
        using var buffer = new BackBuffer();
        MessageWriter.Write(buffer, value);
        var schema = value.StructSchema;
        Close(buffer, EnvelopeText(value, "apiVersion") ?? schema.ApiVersion, EnvelopeText(value, "kind") ?? schema.Kind);
        return buffer.Written.ToArray();
    }

    /// <summary>The message alone: an item of a list.</summary>
    public static byte[] SerializeMessage(ApiStruct value)
    {
        using var buffer = new BackBuffer();
        MessageWriter.Write(buffer, value);
        return buffer.Written.ToArray();
    }

    /// <summary>A message in its envelope.</summary>
    public static byte[] Wrap(string apiVersion, string kind, ReadOnlySpan<byte> message)
    {
        using var buffer = new BackBuffer(message.Length + 128);
        buffer.Raw(message);
        Close(buffer, apiVersion, kind);
        return buffer.Written.ToArray();
    }

    /// <summary>A list put together from its items' messages, in its envelope.</summary>
    public static byte[] WrapList(string apiVersion, string kind, Meta.V1.ListMeta metadata, IReadOnlyList<ReadOnlyMemory<byte>> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        using var buffer = new BackBuffer(items.Sum(i => i.Length + 6) + 256);
        for (var i = items.Count - 1; i >= 0; i--)
        {
            buffer.Bytes(2, items[i].Span);
        }

        var before = buffer.Length;
        MessageWriter.Write(buffer, metadata);
        buffer.Close(1, before);
        Close(buffer, apiVersion, kind);
        return buffer.Written.ToArray();
    }

    /// <summary>A watch frame: its length in four bytes, then a WatchEvent without an envelope around the object's body.</summary>
    public static byte[] WatchFrame(string type, ReadOnlySpan<byte> body)
    {
        using var buffer = new BackBuffer(body.Length + 64);
        var before = buffer.Length;
        buffer.Bytes(1, body);
        buffer.Close(2, before);
        buffer.Text(1, type);
        buffer.Length32();
        return buffer.Written.ToArray();
    }

    internal static void SetEnvelope(ApiStruct value, ProtoEnvelope envelope)
    {
        Set(value, "apiVersion", envelope.ApiVersion);
        Set(value, "kind", envelope.Kind);
    }

    private static void Close(BackBuffer buffer, string apiVersion, string kind)
    {
        // Upstream writes the empty contentEncoding and contentType as well.
        var message = buffer.Length;
        buffer.PrefixLength(2, message);
        var type = buffer.Length;
        buffer.Text(2, kind);
        buffer.Text(1, apiVersion);
        buffer.Close(1, type);
        buffer.Raw(Magic);
        buffer.Append([0x1a, 0x00, 0x22, 0x00]);
    }

    private static string? EnvelopeText(ApiStruct value, string name) =>
        value.StructSchema.Field(name) is { } field && (field.Flags & FieldFlags.Envelope) != 0 ? value.Get(field.Ordinal) as string : null;

    private static void Set(ApiStruct value, string name, string text)
    {
        if (value.StructSchema.Field(name) is { } field && (field.Flags & FieldFlags.Envelope) != 0)
        {
            value.Set(field.Ordinal, text.Length == 0 ? null : text);
        }
    }

    private static (string Version, string Kind) ReadTypeMeta(ReadOnlySpan<byte> data)
    {
        var reader = new ProtoReader(data);
        string version = "", kind = "";
        while (reader.Next())
        {
            switch (reader.Number)
            {
                case 1:
                    version = reader.ExpectString();
                    break;
                case 2:
                    kind = reader.ExpectString();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return (version, kind);
    }
}
