using System.Text;

namespace Hardway.Api.Protobuf;

/// <summary>
/// OpenAPI documents as the messages openapi.v2.Document and openapi.v3.Document (gnostic), which clients read faster than JSON. Made from the
/// document's JSON by a table of the messages (<see cref="OpenApiMessages"/>).
/// </summary>
public static class OpenApiProtobuf
{
    public static byte[] V2(ReadOnlySpan<byte> json) => Encode(json, OpenApiMessages.V2);

    public static byte[] V3(ReadOnlySpan<byte> json) => Encode(json, OpenApiMessages.V3);

    private static byte[] Encode(ReadOnlySpan<byte> json, string table)
    {
        using var buffer = new BackBuffer(json.Length);
        new Writer(buffer, OpenApiMessages.Read(table)).Value("Document", ApiJson.DeserializeTree(json));
        return buffer.Written.ToArray();
    }

    /// <summary>Writes values from their end to their beginning; one document.</summary>
    private sealed class Writer(BackBuffer buffer, Dictionary<string, OpenApiField[]> messages)
    {
        private const string Reference = "$ref";

        public void Value(string type, object? value)
        {
            switch (type, value)
            {
                case ("TypeItem", string text):
                    buffer.Text(1, text);
                    break;
                case ("SchemaItem", _):
                    Nested(1, "Schema", value);
                    break;
                case ("ItemsItem", _):
                    Nested(1, messages.ContainsKey("SchemaOrReference") ? "SchemaOrReference" : "Schema", value);
                    break;
                case ("AdditionalPropertiesItem", bool allowed):
                    buffer.Number(2, allowed ? 1u : 0u);
                    break;
                case ("AdditionalPropertiesItem", _):
                    Nested(1, messages.ContainsKey("SchemaOrReference") ? "SchemaOrReference" : "Schema", value);
                    break;
                case ("DefaultType", _):
                    Default(value);
                    break;
                case ("Parameter", Dictionary<string, object?> parameter) when messages.ContainsKey("BodyParameter"):
                    ParameterByPlace(parameter);
                    break;
                case (_, Dictionary<string, object?> map):
                    Message(type, map);
                    break;
            }
        }

        private void Message(string type, Dictionary<string, object?> map)
        {
            var fields = messages[type];
            for (var i = fields.Length - 1; i >= 0; i--)
            {
                var field = fields[i];
                switch (field.Name)
                {
                    case "x-":
                        Named(field, map.Where(p => p.Key.StartsWith("x-", StringComparison.Ordinal)));
                        break;
                    case "*":
                        Named(field, map.Where(p => !p.Key.StartsWith("x-", StringComparison.Ordinal) && !Array.Exists(fields, f => f.Name == p.Key)));
                        break;
                    case "!":
                        // One of two: a reference, or the thing itself.
                        if (!map.ContainsKey(Reference))
                        {
                            Nested(field.Number, field.Type, map);
                        }

                        break;
                    case "?":
                        if (map.ContainsKey(Reference))
                        {
                            Nested(field.Number, field.Type, map);
                        }

                        break;
                    default:
                        if (map.TryGetValue(field.Name, out var value) && value is not null)
                        {
                            Field(field, value);
                        }

                        break;
                }
            }
        }

        private void Field(OpenApiField field, object value)
        {
            switch (field.Kind)
            {
                case 's' when value is string text:
                    buffer.Text(field.Number, text);
                    break;
                case 'b' when value is bool b:
                    buffer.Number(field.Number, b ? 1u : 0u);
                    break;
                case 'i' when value is long n:
                    buffer.Number(field.Number, (ulong)n);
                    break;
                case 'd' when value is long or double:
                    buffer.Double(field.Number, Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture));
                    break;
                case 'S':
                    Each(value, item => buffer.Text(field.Number, (string)item!));
                    break;
                case 'A':
                    Any(field.Number, value);
                    break;
                case 'V':
                    Each(value, item => Any(field.Number, item));
                    break;
                case ':':
                    Nested(field.Number, field.Type, value);
                    break;
                case '[':
                    Each(value, item => Nested(field.Number, field.Type, item));
                    break;
                case '{' when value is Dictionary<string, object?> map:
                    var before = buffer.Length;
                    Named(field with { Number = 1 }, map);
                    buffer.Close(field.Number, before);
                    break;
            }
        }

        private void Nested(int number, string type, object? value)
        {
            var before = buffer.Length;
            Value(type, value);
            buffer.Close(number, before);
        }

        /// <summary>A map is a list of names and values.</summary>
        private void Named(OpenApiField field, IEnumerable<KeyValuePair<string, object?>> pairs)
        {
            foreach (var (name, value) in pairs.Reverse())
            {
                var before = buffer.Length;
                if (field.Name == "x-")
                {
                    Any(2, value);
                }
                else
                {
                    Nested(2, field.Type, value);
                }

                buffer.Text(1, name);
                buffer.Close(field.Number, before);
            }
        }

        private static void Each(object value, Action<object?> write)
        {
            if (value is List<object?> list)
            {
                for (var i = list.Count - 1; i >= 0; i--)
                {
                    write(list[i]);
                }
            }
        }

        /// <summary>A value as YAML text; JSON is YAML.</summary>
        private void Any(int number, object? value)
        {
            var before = buffer.Length;
            buffer.Text(2, Encoding.UTF8.GetString(ApiJson.SerializeTree(value)) + "\n");
            buffer.Close(number, before);
        }

        /// <summary>Only scalars have a form here.</summary>
        private void Default(object? value)
        {
            switch (value)
            {
                case string text:
                    buffer.Text(3, text);
                    break;
                case bool b:
                    buffer.Number(2, b ? 1u : 0u);
                    break;
                case long or double:
                    buffer.Double(1, Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture));
                    break;
            }
        }

        /// <summary>Version 2: the body is a message of its own, the others are told apart by where they stand.</summary>
        private void ParameterByPlace(Dictionary<string, object?> parameter)
        {
            if (parameter.GetValueOrDefault("in") is "body")
            {
                Nested(1, "BodyParameter", parameter);
                return;
            }

            var before = buffer.Length;
            switch (parameter.GetValueOrDefault("in"))
            {
                case "query":
                    Nested(3, "QueryParameterSubSchema", parameter);
                    break;
                default:
                    Nested(4, "PathParameterSubSchema", parameter);
                    break;
            }

            buffer.Close(2, before);
        }
    }
}
