using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Hardway.Api;

/// <summary>JSON of schema-described values: fields in schema order, zero values left out as the schema says, maps sorted by key.</summary>
public static class ApiJson
{
    /// <summary>Nesting deeper than this is refused.</summary>
    public const int MaxDepth = 512;

    private static readonly JsonWriterOptions s_writer = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true, MaxDepth = MaxDepth + 64 };

    /// <summary>What one thread encodes with, between two encodings.</summary>
    [ThreadStatic]
    private static Scratch? t_scratch;

    public static byte[] Serialize(ApiStruct value)
    {
        var scratch = t_scratch ?? new Scratch();
        t_scratch = null;
        try
        {
            JsonEncoder.Write(scratch.Writer, value);
            scratch.Writer.Flush();
            return scratch.Buffer.WrittenSpan.ToArray();
        }
        finally
        {
            if (scratch.TryReset())
            {
                t_scratch = scratch;
            }
        }
    }

    public static void Write(IBufferWriter<byte> output, ApiStruct value)
    {
        using var writer = new Utf8JsonWriter(output, s_writer);
        JsonEncoder.Write(writer, value);
    }

    public static void Write(Utf8JsonWriter writer, ApiStruct value) => JsonEncoder.Write(writer, value);

    /// <summary>Writes a JSON tree (Dictionary, List, string, long, double, bool, null).</summary>
    public static byte[] SerializeTree(object? tree)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, s_writer))
        {
            JsonEncoder.WriteTree(writer, tree);
        }

        return buffer.WrittenSpan.ToArray();
    }

    public static void WriteTree(Utf8JsonWriter writer, object? tree) => JsonEncoder.WriteTree(writer, tree);

    /// <summary>Writes one value of a shape, as a field of it would be.</summary>
    public static void WriteValue(Utf8JsonWriter writer, object? value, Shape shape) => JsonEncoder.WriteValue(writer, value, shape);

    /// <exception cref="ApiDecodeException">The text is no JSON, or a value does not fit its field.</exception>
    public static T Deserialize<T>(ReadOnlySpan<byte> json, DecodeReport? report = null)
        where T : ApiStruct, IApiType<T>, new() => (T)Deserialize(T.TypeSchema, json, report);

    /// <param name="schema">What to read.</param>
    /// <param name="json">One JSON object in UTF-8.</param>
    /// <param name="report">Where unknown and duplicate fields are written; without it they are passed over.</param>
    /// <exception cref="ApiDecodeException">The text is no JSON, or a value does not fit its field.</exception>
    public static ApiStruct Deserialize(TypeSchema schema, ReadOnlySpan<byte> json, DecodeReport? report = null)
    {
        try
        {
            var decoder = new JsonDecoder(json, report);
            return decoder.ReadDocument(schema);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new ApiDecodeException("the body is not valid JSON: " + e.Message);
        }
    }

    /// <summary>Reads one JSON object into a value that is there already.</summary>
    /// <exception cref="ApiDecodeException">The text is no JSON, or a value does not fit its field.</exception>
    public static void Read(ApiStruct value, ReadOnlySpan<byte> json, DecodeReport? report = null)
    {
        try
        {
            var decoder = new JsonDecoder(json, report);
            decoder.ReadDocument(value);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new ApiDecodeException("the body is not valid JSON: " + e.Message);
        }
    }

    /// <summary>Reads any JSON into a tree.</summary>
    /// <exception cref="ApiDecodeException">The text is no JSON.</exception>
    public static object? DeserializeTree(ReadOnlySpan<byte> json, DecodeReport? report = null)
    {
        try
        {
            var decoder = new JsonDecoder(json, report);
            return decoder.ReadTreeDocument();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new ApiDecodeException("the body is not valid JSON: " + e.Message);
        }
    }

    /// <summary>Converts a JSON tree to a value of the type, as decoding its text would.</summary>
    public static ApiStruct FromTree(TypeSchema schema, object? tree, DecodeReport? report = null) => Deserialize(schema, SerializeTree(tree), report);

    /// <summary>The JSON tree of a value, as decoding its encoding would give; without metadata.managedFields where they are not wanted.</summary>
    public static Dictionary<string, object?> ToTree(ApiStruct value, bool managedFields = true) => ApiTrees.Of(value, managedFields);

    /// <summary>A writer with its buffer. One that a large object made large is not kept.</summary>
    private sealed class Scratch
    {
        private const int LargestKept = 64 * 1024;

        public Scratch() => Writer = new Utf8JsonWriter(Buffer, s_writer);

        public ArrayBufferWriter<byte> Buffer { get; } = new(4096);

        public Utf8JsonWriter Writer { get; }

        public bool TryReset()
        {
            if (Buffer.Capacity > LargestKept)
            {
                Writer.Dispose();
                return false;
            }

            Buffer.ResetWrittenCount();
            Writer.Reset(Buffer);
            return true;
        }
    }
}

/// <summary>Fields of a body that the schema does not know, or that stand twice; paths as in spec.containers[0].image.</summary>
public sealed class DecodeReport
{
    private const int Most = 100;

    public List<string> Unknown { get; } = [];

    public List<string> Duplicate { get; } = [];

    public bool IsEmpty => Unknown.Count == 0 && Duplicate.Count == 0;

    public void AddUnknown(IEnumerable<string> paths)
    {
        foreach (var path in paths)
        {
            Add(Unknown, path);
        }
    }

    internal void Add(List<string> where, string path)
    {
        if (where.Count < Most && !where.Contains(path))
        {
            where.Add(path);
        }
    }
}

/// <summary>A body that cannot be read as what it should be.</summary>
public sealed class ApiDecodeException : Exception
{
    public ApiDecodeException(string message)
        : base(message)
    {
    }

    public ApiDecodeException()
    {
    }

    public ApiDecodeException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
