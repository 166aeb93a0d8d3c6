using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;

namespace Hardway.Oracle.Tests.Replay;

/// <summary>Of a protobuf answer: the envelope, and the name (or the names of the items) of what it holds. Written by hand: the program's codec is what is tested.</summary>
internal static class ProtobufEnvelope
{
    public static JsonObject Describe(byte[] data) => new() { ["$protobuf"] = data.AsSpan().StartsWith("k8s\0"u8) ? Envelope(Fields(data.AsSpan(4))) : "no envelope" };

    private static JsonObject Envelope(ILookup<int, object> unknown)
    {
        var meta = Message(unknown, 1);
        var described = new JsonObject { ["apiVersion"] = Text(meta, 1), ["kind"] = Text(meta, 2) };
        var raw = Message(unknown, 2);
        if (Text(meta, 2) == "Status")
        {
            described["status"] = Text(raw, 2);
            described["reason"] = Text(raw, 4);
            described["code"] = raw[6].OfType<ulong>().FirstOrDefault();
        }
        else if (Text(meta, 2).EndsWith("List", StringComparison.Ordinal))
        {
            described["items"] = new JsonArray([.. raw[2].OfType<byte[]>().Select(item => (JsonNode)Text(Message(Fields(item), 1), 1))]);
        }
        else if (raw.Contains(1))
        {
            described["name"] = Text(Message(raw, 1), 1);
            described["namespace"] = Text(Message(raw, 1), 3);
        }

        return described;
    }

    private static ILookup<int, object> Message(ILookup<int, object> fields, int number) => Fields(fields[number].OfType<byte[]>().FirstOrDefault());

    private static string Text(ILookup<int, object> fields, int number) => Encoding.UTF8.GetString(fields[number].OfType<byte[]>().FirstOrDefault() ?? []);

    private static ILookup<int, object> Fields(ReadOnlySpan<byte> data)
    {
        var fields = new List<(int Number, object Value)>();
        while (!data.IsEmpty)
        {
            var tag = Varint(ref data);
            var number = (int)(tag >> 3);
            switch (tag & 7)
            {
                case 0: fields.Add((number, Varint(ref data))); break;
                case 1: fields.Add((number, BinaryPrimitives.ReadUInt64LittleEndian(Take(ref data, 8)))); break;
                case 2: fields.Add((number, Take(ref data, (int)Varint(ref data)).ToArray())); break;
                case 5: fields.Add((number, (ulong)BinaryPrimitives.ReadUInt32LittleEndian(Take(ref data, 4)))); break;
                default: throw new InvalidDataException($"wire type {tag & 7} of field {number}");
            }
        }

        return fields.ToLookup(f => f.Number, f => f.Value);
    }

    private static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> data, int count)
    {
        var taken = data[..count];
        data = data[count..];
        return taken;
    }

    private static ulong Varint(ref ReadOnlySpan<byte> data)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var b = Take(ref data, 1)[0];
            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80) return value;
        }
    }
}
