using System.Collections;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Hardway.Api;

/// <summary>
/// Reads one JSON document by a schema. Names are case-sensitive; null resets a field; the last of two equal names wins
/// and both are reported. Errors say which field, what was found and what was expected.
/// </summary>
internal ref struct JsonDecoder
{
    private readonly DecodeReport? _report;
    private readonly List<object> _path;
    private Utf8JsonReader _reader;

    public JsonDecoder(ReadOnlySpan<byte> json, DecodeReport? report)
    {
        _reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = ApiJson.MaxDepth });
        _report = report;
        _path = [];
    }

    public ApiStruct ReadDocument(TypeSchema schema) => ReadDocument(schema.New());

    public ApiStruct ReadDocument(ApiStruct into)
    {
        _reader.Read();
        if (_reader.TokenType == JsonTokenType.Null)
        {
            // Null leaves all as it is: an object with nothing in it.
            ExpectEnd();
            return into;
        }

        if (_reader.TokenType != JsonTokenType.StartObject)
        {
            throw Unfit("an object");
        }

        var value = ReadStruct(into);
        ExpectEnd();
        return value;
    }

    public object? ReadTreeDocument()
    {
        _reader.Read();
        var value = ReadTree();
        ExpectEnd();
        return value;
    }

    private void ExpectEnd()
    {
        if (_reader.Read())
        {
            throw new ApiDecodeException("the body has something after the end of its JSON value");
        }
    }

    private ApiStruct ReadStruct(ApiStruct value)
    {
        var schema = value.StructSchema;
        var fields = schema.Fields;
        Span<ulong> seen = stackalloc ulong[(fields.Length + 63) / 64];
        seen.Clear();
        var hint = 0;
        while (_reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = FindField(schema, hint);
            if (field is null && value.Rest is { } rest)
            {
                ReadMember(rest);
                continue;
            }

            if (field is null)
            {
                ReportUnknown();
                _reader.Skip();
                continue;
            }

            hint = field.Ordinal + 1;
            _path.Add(field.Name);
            ref var word = ref seen[field.Ordinal / 64];
            var bit = 1UL << (field.Ordinal % 64);
            var earlier = (word & bit) != 0 ? value.Get(field.Ordinal) : null;
            if ((word & bit) != 0)
            {
                _report?.Add(_report.Duplicate, PathText());
            }

            word |= bit;
            _reader.Read();
            value.Set(field.Ordinal, field.Shape.Kind == ShapeKind.Struct && _reader.TokenType == JsonTokenType.StartObject
                ? ReadStruct(earlier as ApiStruct ?? field.Shape.Type.NewBare())
                : Onto(earlier, ReadValue(field.Shape)));
            _path.RemoveAt(_path.Count - 1);
        }

        return value;
    }

    /// <summary>As in Go, the maps of a field that stands twice are put together; of all else the last counts.</summary>
    private static object? Onto(object? earlier, object? later)
    {
        if (earlier is IDictionary before && later is IDictionary after)
        {
            foreach (DictionaryEntry entry in before)
            {
                if (!after.Contains(entry.Key))
                {
                    after[entry.Key] = entry.Value;
                }
            }
        }

        return later;
    }

    private readonly FieldSchema? FindField(TypeSchema schema, int hint) =>
        _reader.ValueIsEscaped ? schema.Field(_reader.GetString()!) : schema.Field(_reader.ValueSpan, hint);

    private void ReportUnknown()
    {
        if (_report is null)
        {
            _reader.Read();
            return;
        }

        _path.Add(_reader.GetString()!);
        _report.Add(_report.Unknown, PathText());
        _path.RemoveAt(_path.Count - 1);
        _reader.Read();
    }

    private object? ReadValue(Shape shape)
    {
        if (_reader.TokenType == JsonTokenType.Null && shape.Kind is not (ShapeKind.Any or ShapeKind.Raw))
        {
            return null;
        }

        switch (shape.Kind)
        {
            case ShapeKind.String:
                return ReadString("a string");
            case ShapeKind.Int32:
                return _reader.TokenType == JsonTokenType.Number && _reader.TryGetInt32(out var i) ? Boxes.Of(i) : throw Unfit("a 32-bit integer");
            case ShapeKind.Int64:
                return _reader.TokenType == JsonTokenType.Number && _reader.TryGetInt64(out var l) ? Boxes.Of(l) : throw Unfit("a 64-bit integer");
            case ShapeKind.Double:
                return _reader.TokenType == JsonTokenType.Number ? _reader.GetDouble() : throw Unfit("a number");
            case ShapeKind.Bool:
                return _reader.TokenType switch { JsonTokenType.True => Boxes.True, JsonTokenType.False => Boxes.False, _ => throw Unfit("true or false") };
            case ShapeKind.Bytes:
                return _reader.TokenType == JsonTokenType.String && _reader.TryGetBytesFromBase64(out var bytes) ? bytes : throw Unfit("base64");
            case ShapeKind.Quantity:
                return ReadQuantity();
            case ShapeKind.IntOrString:
                return _reader.TokenType == JsonTokenType.Number
                    ? (_reader.TryGetInt32(out var n) ? new IntOrString(n) : throw Unfit("a 32-bit integer"))
                    : new IntOrString(ReadString("an integer or a string"));
            case ShapeKind.Time or ShapeKind.MicroTime:
                return ApiTime.TryParse(ReadString("a time"), out var time) ? time : throw Unfit("a time such as 2006-01-02T15:04:05Z");
            case ShapeKind.Duration:
                return ApiTime.TryParseDuration(ReadString("a duration"), out var span) ? span : throw Unfit("a duration such as 1m30s");
            case ShapeKind.Struct:
                return _reader.TokenType == JsonTokenType.StartObject ? ReadStruct(shape.Type.New()) : throw Unfit("an object");
            case ShapeKind.List:
                return ReadList(shape);
            case ShapeKind.Map:
                return ReadMap(shape);
            case ShapeKind.OneOf:
                return ReadOneOf(shape);
            default:
                return ReadTree();
        }
    }

    private string ReadString(string expected)
    {
        if (_reader.TokenType != JsonTokenType.String)
        {
            throw Unfit(expected);
        }

        var span = _reader.ValueSpan;
        return span.Length == 0 ? "" : span.Length <= 16 && !_reader.ValueIsEscaped ? CommonStrings.Get(span) : _reader.GetString()!;
    }

    private object ReadQuantity()
    {
        var text = _reader.TokenType == JsonTokenType.Number ? Encoding.UTF8.GetString(_reader.ValueSpan) : ReadString("a quantity");
        return Quantity.TryParse(text, out var value) ? value : throw Unfit("a quantity such as 500m or 64Mi");
    }

    private object ReadList(Shape shape)
    {
        if (_reader.TokenType != JsonTokenType.StartArray)
        {
            throw Unfit("a list");
        }

        var element = shape.Element!;
        var list = shape.NewList();
        while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
        {
            _path.Add(list.Count);
            list.Add(ReadValue(element) ?? Zero(element));
            _path.RemoveAt(_path.Count - 1);
        }

        return list;
    }

    private object ReadMap(Shape shape)
    {
        if (_reader.TokenType != JsonTokenType.StartObject)
        {
            throw Unfit("an object");
        }

        var element = shape.Element!;
        var map = shape.NewMap();
        while (_reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = _reader.ValueSpan.Length <= 32 && !_reader.ValueIsEscaped ? CommonStrings.Get(_reader.ValueSpan) : _reader.GetString()!;
            _path.Add(key);
            if (_report is not null && map.Contains(key))
            {
                _report.Add(_report.Duplicate, PathText());
            }

            _reader.Read();
            map[key] = ReadValue(element) ?? Zero(element);
            _path.RemoveAt(_path.Count - 1);
        }

        return map;
    }

    private object? ReadOneOf(Shape shape)
    {
        foreach (var alternative in shape.Alternatives)
        {
            var fits = alternative.Kind switch
            {
                ShapeKind.Struct or ShapeKind.Map => _reader.TokenType == JsonTokenType.StartObject,
                ShapeKind.List => _reader.TokenType == JsonTokenType.StartArray,
                ShapeKind.Bool => _reader.TokenType is JsonTokenType.True or JsonTokenType.False,
                ShapeKind.String => _reader.TokenType == JsonTokenType.String,
                _ => true,
            };
            if (fits)
            {
                return ReadValue(alternative);
            }
        }

        throw Unfit("another type");
    }

    private object? ReadTree()
    {
        switch (_reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var map = new Dictionary<string, object?>(StringComparer.Ordinal);
                while (_reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
                {
                    ReadMember(map);
                }

                return map;
            case JsonTokenType.StartArray:
                var list = new List<object?>();
                while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
                {
                    _path.Add(list.Count);
                    list.Add(ReadTree());
                    _path.RemoveAt(_path.Count - 1);
                }

                return list;
            case JsonTokenType.String:
                return _reader.GetString();
            case JsonTokenType.Number:
                // Boxed one by one: the conditional's common type would make a double of both.
                return _reader.TryGetInt64(out var number) ? (object)number : _reader.GetDouble();
            case JsonTokenType.True or JsonTokenType.False:
                return Boxes.Of(_reader.TokenType == JsonTokenType.True);
            default:
                return null;
        }
    }

    /// <summary>A name and its value, of any form.</summary>
    private void ReadMember(Dictionary<string, object?> map)
    {
        var key = _reader.GetString()!;
        _path.Add(key);
        if (_report is not null && map.ContainsKey(key))
        {
            _report.Add(_report.Duplicate, PathText());
        }

        _reader.Read();
        map[key] = ReadTree();
        _path.RemoveAt(_path.Count - 1);
    }

    /// <summary>What null stands for inside a list or map.</summary>
    private static object? Zero(Shape shape) => shape.Kind switch
    {
        ShapeKind.String => "",
        ShapeKind.Int32 => Boxes.Of(0),
        ShapeKind.Int64 => Boxes.Of(0L),
        ShapeKind.Double => 0.0,
        ShapeKind.Bool => Boxes.False,
        ShapeKind.Bytes => Array.Empty<byte>(),
        ShapeKind.Quantity => Quantity.Zero,
        ShapeKind.IntOrString => default(IntOrString),
        ShapeKind.Struct => shape.Type.New(),
        ShapeKind.List => shape.NewList(),
        ShapeKind.Map => shape.NewMap(),
        ShapeKind.Time or ShapeKind.MicroTime => default(DateTimeOffset),
        ShapeKind.Duration => default(TimeSpan),
        _ => null,
    };

    private readonly ApiDecodeException Unfit(string expected) => new($"{PathText()}: found {Describe()}, expected {expected}");

    private readonly string Describe() => _reader.TokenType switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "a list",
        JsonTokenType.String => "the string " + Shorten(),
        JsonTokenType.Number => "the number " + Shorten(),
        JsonTokenType.True => "true",
        JsonTokenType.False => "false",
        JsonTokenType.Null => "null",
        _ => "nothing",
    };

    private readonly string Shorten()
    {
        var span = _reader.ValueSpan;
        var text = Encoding.UTF8.GetString(span[..Math.Min(span.Length, 64)]);
        return "\"" + text + (span.Length > 64 ? "..." : "") + "\"";
    }

    private readonly string PathText()
    {
        var text = new StringBuilder();
        foreach (var step in _path)
        {
            if (step is int index)
            {
                text.Append('[').Append(index.ToString(CultureInfo.InvariantCulture)).Append(']');
            }
            else
            {
                text.Append(text.Length == 0 ? "" : ".").Append(step);
            }
        }

        return text.Length == 0 ? "the body" : text.ToString();
    }
}
