using System.Collections;
using System.Globalization;
using System.Text.RegularExpressions;
using Hardway.Api;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Custom;

/// <summary>A custom resource's schema, compiled from its OpenAPI form: what is pruned, defaulted and checked. Immutable.</summary>
internal sealed class StructuralSchema
{
    private static readonly TimeSpan s_patternTime = TimeSpan.FromMilliseconds(100);
    private readonly Dictionary<string, object?> _source;
    private readonly Regex? _pattern;

    public StructuralSchema(Dictionary<string, object?> source)
    {
        _source = source;
        Type = source.GetValueOrDefault("type") as string ?? "";
        IsIntOrString = Is("x-kubernetes-int-or-string");
        PreservesUnknown = Is("x-kubernetes-preserve-unknown-fields");
        IsEmbedded = Is("x-kubernetes-embedded-resource");
        Properties = source.GetValueOrDefault("properties") is Dictionary<string, object?> map
            ? map.Where(p => p.Value is Dictionary<string, object?>).ToDictionary(p => p.Key, p => new StructuralSchema((Dictionary<string, object?>)p.Value!), StringComparer.Ordinal)
            : [];
        Items = source.GetValueOrDefault("items") is Dictionary<string, object?> items ? new StructuralSchema(items) : null;
        Additional = source.GetValueOrDefault("additionalProperties") is Dictionary<string, object?> additional ? new StructuralSchema(additional) : null;
        AllowsAdditional = source.GetValueOrDefault("additionalProperties") is true;
        Required = Strings("required");
        ListKeys = Strings("x-kubernetes-list-map-keys");
        ListType = source.GetValueOrDefault("x-kubernetes-list-type") as string ?? "";
        IsAtomicMap = source.GetValueOrDefault("x-kubernetes-map-type") as string == "atomic";
        _pattern = source.GetValueOrDefault("pattern") is string pattern ? new Regex(pattern, RegexOptions.CultureInvariant, s_patternTime) : null;
    }

    public string Type { get; }

    public bool IsIntOrString { get; }

    public bool PreservesUnknown { get; }

    public bool IsEmbedded { get; }

    public IReadOnlyDictionary<string, StructuralSchema> Properties { get; }

    public StructuralSchema? Items { get; }

    public StructuralSchema? Additional { get; }

    public bool AllowsAdditional { get; }

    public IReadOnlyList<string> Required { get; }

    public IReadOnlyList<string> ListKeys { get; }

    public string ListType { get; }

    public bool IsAtomicMap { get; }

    /// <summary>Takes away what the schema does not know and fills in its defaults, all the way down. Changes the tree.</summary>
    public void Shape(object? value)
    {
        switch (value)
        {
            case Dictionary<string, object?> map:
                ShapeMap(map);
                break;
            case List<object?> list when Items is not null:
                list.ForEach(Items.Shape);
                break;
        }
    }

    public void Validate(object? value, FieldPath path, ErrorList errors)
    {
        if (value is null)
        {
            if (!Is("nullable") && Type.Length > 0)
            {
                errors.TypeInvalid(path, "null", $"must be of type {Type}");
            }

            return;
        }

        if (!FitsType(value))
        {
            errors.TypeInvalid(path, Name(value), $"must be of type {(IsIntOrString ? "integer or string" : Type)}");
            return;
        }

        Enum(value, path, errors);
        switch (value)
        {
            case string text:
                Text(text, path, errors);
                break;
            case long or double:
                Number(Convert.ToDouble(value, CultureInfo.InvariantCulture), path, errors);
                break;
            case List<object?> list:
                List(list, path, errors);
                break;
            case Dictionary<string, object?> map:
                Map(map, path, errors);
                break;
        }
    }

    private void ShapeMap(Dictionary<string, object?> map)
    {
        foreach (var (name, property) in Properties)
        {
            if (property._source.TryGetValue("default", out var given) && (!map.TryGetValue(name, out var now) || (now is null && !property.Is("nullable"))))
            {
                map[name] = ApiValues.CloneTree(given);
            }
        }

        foreach (var key in map.Keys.ToList())
        {
            if (Properties.TryGetValue(key, out var property))
            {
                property.Shape(map[key]);
            }
            else if (Additional is not null)
            {
                Additional.Shape(map[key]);
            }
            else if (!PreservesUnknown && !AllowsAdditional && !(IsEmbedded && key is "apiVersion" or "kind" or "metadata"))
            {
                map.Remove(key);
            }
        }
    }

    private bool FitsType(object value) => IsIntOrString ? value is string or long : Type switch
    {
        "object" => value is Dictionary<string, object?>,
        "array" => value is List<object?>,
        "string" => value is string,
        "integer" => value is long || (value is double d && d == Math.Truncate(d)),
        "number" => value is long or double,
        "boolean" => value is bool,
        _ => true,
    };

    private void Enum(object value, FieldPath path, ErrorList errors)
    {
        if (_source.GetValueOrDefault("enum") is List<object?> { Count: > 0 } allowed && !allowed.Exists(a => ApiValues.TreesEqual(a, value)))
        {
            errors.NotSupported(path, value, allowed.Select(a => a?.ToString() ?? "null"));
        }
    }

    private void Text(string text, FieldPath path, ErrorList errors)
    {
        if (Bound("maxLength") is { } most && text.EnumerateRunes().Count() > most)
        {
            errors.TooLong(path, (int)most);
        }

        if (Bound("minLength") is { } least && text.EnumerateRunes().Count() < least)
        {
            errors.Invalid(path, text, $"should be at least {least} chars long");
        }

        try
        {
            if (_pattern is { } pattern && !pattern.IsMatch(text))
            {
                errors.Invalid(path, text, $"should match '{pattern}'");
            }
        }
        catch (RegexMatchTimeoutException)
        {
            errors.Invalid(path, text, "the pattern takes too long to match");
        }
    }

    private void Number(double number, FieldPath path, ErrorList errors)
    {
        if (Bound("minimum") is { } least && (Is("exclusiveMinimum") ? number <= least : number < least))
        {
            errors.Invalid(path, number, $"should be greater than {(Is("exclusiveMinimum") ? "" : "or equal to ")}{least.ToString(CultureInfo.InvariantCulture)}");
        }

        if (Bound("maximum") is { } most && (Is("exclusiveMaximum") ? number >= most : number > most))
        {
            errors.Invalid(path, number, $"should be less than {(Is("exclusiveMaximum") ? "" : "or equal to ")}{most.ToString(CultureInfo.InvariantCulture)}");
        }

        if (Bound("multipleOf") is { } step && step != 0 && Math.Abs(number / step - Math.Round(number / step)) > 1e-9)
        {
            errors.Invalid(path, number, $"should be a multiple of {step.ToString(CultureInfo.InvariantCulture)}");
        }
    }

    private void List(List<object?> list, FieldPath path, ErrorList errors)
    {
        if (Bound("maxItems") is { } most && list.Count > most)
        {
            errors.TooMany(path, list.Count, (int)most);
        }

        if (Bound("minItems") is { } least && list.Count < least)
        {
            errors.Invalid(path, list.Count, $"should have at least {least} items");
        }

        for (var i = 0; i < list.Count; i++)
        {
            Items?.Validate(list[i], path.Index(i), errors);
        }

        Distinct(list, path, errors);
    }

    private void Distinct(List<object?> list, FieldPath path, ErrorList errors)
    {
        if (ListType is not ("set" or "map"))
        {
            return;
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < list.Count; i++)
        {
            var key = ListType == "set" ? list[i] : list[i] is Dictionary<string, object?> map ? ListKeys.Select(k => map.GetValueOrDefault(k)).ToList() : null;
            if (!seen.Add(System.Text.Encoding.UTF8.GetString(ApiJson.SerializeTree(key))))
            {
                errors.Duplicate(path.Index(i), key is IList ? "the item's keys" : key);
            }
        }
    }

    private void Map(Dictionary<string, object?> map, FieldPath path, ErrorList errors)
    {
        foreach (var name in Required)
        {
            if (!map.ContainsKey(name))
            {
                errors.Required(path.Child(name));
            }
        }

        if (Bound("maxProperties") is { } most && map.Count > most)
        {
            errors.TooMany(path, map.Count, (int)most);
        }

        foreach (var (key, value) in map)
        {
            if (Properties.TryGetValue(key, out var property))
            {
                property.Validate(value, path.Child(key), errors);
            }
            else
            {
                Additional?.Validate(value, path.Key(key), errors);
            }
        }
    }

    private bool Is(string key) => _source.GetValueOrDefault(key) is true;

    private double? Bound(string key) => _source.GetValueOrDefault(key) switch { long n => n, double d => d, _ => null };

    private List<string> Strings(string key) => _source.GetValueOrDefault(key) is List<object?> list ? [.. list.OfType<string>()] : [];

    private static string Name(object value) => value switch
    {
        string => "string",
        bool => "boolean",
        long => "integer",
        double => "number",
        IList => "array",
        _ => "object",
    };
}
