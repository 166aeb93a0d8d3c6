using System.Globalization;
using System.Text;
using Hardway.Api;

namespace Hardway.ApiServer.Http;

/// <summary>Writes JSON as block-style YAML; texts that could be read as something else are quoted.</summary>
internal static class YamlText
{
    public static byte[] FromJson(ReadOnlySpan<byte> json)
    {
        var text = new StringBuilder();
        Write(text, ApiJson.DeserializeTree(json), 0, false);
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static void Write(StringBuilder text, object? tree, int depth, bool inList)
    {
        switch (tree)
        {
            case Dictionary<string, object?> { Count: > 0 } map:
                var first = true;
                foreach (var (key, value) in map)
                {
                    text.Append(first && inList ? "" : new string(' ', depth * 2)).Append(Scalar(key)).Append(':');
                    Value(text, value, depth);
                    first = false;
                }

                break;
            case List<object?> { Count: > 0 } list:
                foreach (var value in list)
                {
                    text.Append(' ', depth * 2).Append('-');
                    if (value is Dictionary<string, object?> { Count: > 0 })
                    {
                        text.Append(' ');
                        Write(text, value, depth + 1, true);
                    }
                    else
                    {
                        Value(text, value, depth);
                    }
                }

                break;
            default:
                text.Append(Scalar(tree)).Append('\n');
                break;
        }
    }

    private static void Value(StringBuilder text, object? value, int depth)
    {
        if (value is Dictionary<string, object?> { Count: > 0 } or List<object?> { Count: > 0 })
        {
            text.Append('\n');
            Write(text, value, depth + 1, false);
        }
        else
        {
            text.Append(' ').Append(Scalar(value)).Append('\n');
        }
    }

    private static string Scalar(object? value) => value switch
    {
        null => "null",
        bool b => b ? "true" : "false",
        string s => IsPlain(s) ? s : System.Text.Json.JsonEncodedText.Encode(s, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping) is var quoted ? "\"" + quoted + "\"" : s,
        Dictionary<string, object?> => "{}",
        List<object?> => "[]",
        double d => d.ToString("R", CultureInfo.InvariantCulture),
        IFormattable f => f.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    /// <summary>Letters first, then letters, digits and a few signs, and no word of YAML's.</summary>
    private static bool IsPlain(string text) =>
        text.Length > 0 && char.IsAsciiLetter(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '/')
        && text.ToLowerInvariant() is not ("y" or "n" or "yes" or "no" or "on" or "off" or "true" or "false" or "null" or "nan" or "inf");
}
