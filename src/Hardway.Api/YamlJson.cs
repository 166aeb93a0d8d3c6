using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Hardway.Api;

/// <summary>YAML to JSON by the rules of YAML 1.1 (yes, no, on, off, y and n are booleans), as the API reads it. Aliases are bounded.</summary>
public static class YamlJson
{
    private const int MaxNodes = 1_000_000;

    /// <summary>The one document of a text; null for an empty one.</summary>
    /// <exception cref="ApiDecodeException">The text is no YAML, or has more than one document.</exception>
    /// <param name="yaml">The text.</param>
    /// <param name="repeated">Gets a line for each key that stands twice, whose last value counts; without it such a key is an error.</param>
    public static byte[] ToJson(string yaml, ICollection<string>? repeated = null)
    {
        var documents = ToJsonDocuments(yaml, repeated);
        return documents.Count switch
        {
            0 => "null"u8.ToArray(),
            1 => documents[0],
            _ => throw new ApiDecodeException($"the YAML has {documents.Count} documents, expected one"),
        };
    }

    /// <summary>All documents of a text; empty ones are left out.</summary>
    /// <exception cref="ApiDecodeException">The text is no YAML.</exception>
    public static List<byte[]> ToJsonDocuments(string yaml, ICollection<string>? repeated = null)
    {
        try
        {
            return Read(new Parser(new StringReader(yaml)), repeated);
        }
        catch (YamlException e)
        {
            throw new ApiDecodeException($"line {e.Start.Line}: the YAML cannot be read: {e.Message}");
        }
    }

    private static List<byte[]> Read(Parser parser, ICollection<string>? repeated)
    {
        var documents = new List<byte[]>();
        parser.Consume<StreamStart>();
        while (parser.TryConsume<DocumentStart>(out _))
        {
            var anchors = new Dictionary<AnchorName, object?>();
            var budget = MaxNodes;
            var tree = ReadNode(parser, anchors, repeated, ref budget, 0);
            parser.Consume<DocumentEnd>();
            if (tree is not null)
            {
                documents.Add(ApiJson.SerializeTree(tree));
            }
        }

        return documents;
    }

    private static object? ReadNode(Parser parser, Dictionary<AnchorName, object?> anchors, ICollection<string>? repeated, ref int budget, int depth)
    {
        if (--budget < 0 || depth > ApiJson.MaxDepth)
        {
            throw new ApiDecodeException("the YAML is too large or too deeply nested");
        }

        if (parser.TryConsume<AnchorAlias>(out var alias))
        {
            if (!anchors.TryGetValue(alias.Value, out var target))
            {
                throw new ApiDecodeException($"line {alias.Start.Line}: the alias *{alias.Value} has no anchor");
            }

            budget -= Count(target);
            return target;
        }

        var anchor = ((NodeEvent)parser.Current!).Anchor;
        object? value;
        if (parser.TryConsume<Scalar>(out var scalar))
        {
            value = Resolve(scalar);
        }
        else if (parser.TryConsume<SequenceStart>(out _))
        {
            var list = new List<object?>();
            while (!parser.TryConsume<SequenceEnd>(out _))
            {
                list.Add(ReadNode(parser, anchors, repeated, ref budget, depth + 1));
            }

            value = list;
        }
        else
        {
            value = ReadMapping(parser, anchors, repeated, ref budget, depth);
        }

        if (!anchor.IsEmpty)
        {
            anchors[anchor] = value;
        }

        return value;
    }

    private static Dictionary<string, object?> ReadMapping(Parser parser, Dictionary<AnchorName, object?> anchors, ICollection<string>? repeated, ref int budget, int depth)
    {
        parser.Consume<MappingStart>();
        var map = new Dictionary<string, object?>(StringComparer.Ordinal);
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            var at = parser.Current!.Start.Line;
            var key = ReadNode(parser, anchors, repeated, ref budget, depth + 1);
            var value = ReadNode(parser, anchors, repeated, ref budget, depth + 1);
            if (key is string and "<<" && value is Dictionary<string, object?> merged)
            {
                foreach (var (name, item) in merged)
                {
                    map.TryAdd(name, item);
                }

                continue;
            }

            var text = KeyText(key) ?? throw new ApiDecodeException($"line {at}: a mapping's key must be a scalar");
            if (!map.TryAdd(text, value))
            {
                var problem = $"line {at}: the key \"{text}\" stands twice";
                (repeated ?? throw new ApiDecodeException(problem)).Add(problem);
                map[text] = value;
            }
        }

        return map;
    }

    private static string? KeyText(object? key) => key switch
    {
        string s => s,
        bool b => b ? "true" : "false",
        long l => l.ToString(CultureInfo.InvariantCulture),
        double d => d.ToString("R", CultureInfo.InvariantCulture),
        null => "null",
        _ => null,
    };

    private static int Count(object? tree) => tree switch
    {
        Dictionary<string, object?> map => 1 + map.Values.Sum(Count),
        List<object?> list => 1 + list.Sum(Count),
        _ => 1,
    };

    private static object? Resolve(Scalar scalar)
    {
        var text = scalar.Value;
        if (scalar.Style != ScalarStyle.Plain || (!scalar.Tag.IsEmpty && scalar.Tag.Value == "tag:yaml.org,2002:str"))
        {
            return text;
        }

        switch (text)
        {
            case "" or "~" or "null" or "Null" or "NULL":
                return null;
            case "true" or "True" or "TRUE" or "yes" or "Yes" or "YES" or "on" or "On" or "ON" or "y" or "Y":
                return true;
            case "false" or "False" or "FALSE" or "no" or "No" or "NO" or "off" or "Off" or "OFF" or "n" or "N":
                return false;
        }

        return IsNumberStart(text) ? Number(text) : text;
    }

    private static bool IsNumberStart(string text) => char.IsAsciiDigit(text[0]) || (text.Length > 1 && text[0] is '-' or '+' or '.' && (char.IsAsciiDigit(text[1]) || text[1] == '.'));

    private static object Number(string text)
    {
        var plain = text.Replace("_", "", StringComparison.Ordinal);
        var digits = plain.TrimStart('+', '-');
        var negative = plain[0] == '-';
        if (digits.StartsWith("0x", StringComparison.Ordinal) && long.TryParse(digits.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var hex))
        {
            return negative ? -hex : hex;
        }

        if (digits.Length > 1 && digits[0] == '0' && digits.All(c => c is >= '0' and <= '7'))
        {
            var octal = Convert.ToInt64(digits, 8);
            return negative ? -octal : octal;
        }

        if (digits.StartsWith("0o", StringComparison.Ordinal) && digits.Length > 2 && digits.AsSpan(2).IndexOfAnyExceptInRange('0', '7') < 0)
        {
            var octal = Convert.ToInt64(digits[2..], 8);
            return negative ? -octal : octal;
        }

        if (long.TryParse(plain, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }

        return double.TryParse(plain, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) && !digits.Contains(':') ? real : text;
    }
}
