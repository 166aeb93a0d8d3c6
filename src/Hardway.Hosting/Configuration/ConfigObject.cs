using System.Text;
using System.Text.Json;

namespace Hardway.Hosting;

/// <summary>
/// One object of a component's configuration file, read strictly: every field must be asked for before <see cref="Done"/>, a field nobody
/// asked for or of another type is a <see cref="ComponentException"/> that names the file and the field's path. Not for several threads.
/// </summary>
public sealed class ConfigObject
{
    private readonly Dictionary<string, JsonElement> _fields = new(StringComparer.Ordinal);
    private readonly List<ConfigObject> _children = [];
    private readonly string _file;
    private readonly string _path;

    private ConfigObject(string file, string path, JsonElement element)
    {
        _file = file;
        _path = path;
        if (element.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined) return;
        if (element.ValueKind != JsonValueKind.Object) throw Wrong(path, "is not a mapping");
        foreach (var field in element.EnumerateObject())
        {
            if (!_fields.TryAdd(field.Name, field.Value)) throw Wrong(Join(field.Name), "is there twice");
        }
    }

    /// <summary>The root of a file, checked to be of this apiVersion and kind.</summary>
    public static ConfigObject Root(string file, JsonElement element, string apiVersion, string kind)
    {
        var root = new ConfigObject(file, "", element);
        var (gotVersion, gotKind) = (root.String("apiVersion"), root.String("kind"));
        if (gotVersion != apiVersion || gotKind != kind)
            throw new ComponentException($"{file}: this must be {kind} of {apiVersion}, not {(gotKind.Length == 0 ? "an unnamed kind" : gotKind)} of {(gotVersion.Length == 0 ? "no version" : gotVersion)}");
        return root;
    }

    public bool Has(string name) => _fields.ContainsKey(name);

    public string String(string name, string @default = "") => Take(name) switch
    {
        null => @default,
        { ValueKind: JsonValueKind.String } e => e.GetString()!,
        _ => throw Wrong(Join(name), "is not a string"),
    };

    public bool Bool(string name, bool @default = false) => Take(name) switch
    {
        null => @default,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw Wrong(Join(name), "is not true or false"),
    };

    public int Int(string name, int @default = 0, int min = int.MinValue, int max = int.MaxValue)
    {
        if (Take(name) is not { } e) return @default;
        if (e.ValueKind != JsonValueKind.Number || !e.TryGetInt32(out var value)) throw Wrong(Join(name), "is not a whole number");
        return value >= min && value <= max ? value : throw Wrong(Join(name), $"is {value}, not between {min} and {max}");
    }

    public double Double(string name, double @default = 0)
    {
        if (Take(name) is not { } e) return @default;
        return e.ValueKind == JsonValueKind.Number ? e.GetDouble() : throw Wrong(Join(name), "is not a number");
    }

    public TimeSpan Duration(string name, TimeSpan @default = default)
    {
        if (Take(name) is not { } e) return @default;
        if (e.ValueKind != JsonValueKind.String || !GoDuration.TryParse(e.GetString()!, out var value)) throw Wrong(Join(name), "is not a duration such as 15s or 1m30s");
        return value;
    }

    public List<string> Strings(string name) =>
        [.. Elements(name).Select((e, i) => e.ValueKind == JsonValueKind.String ? e.GetString()! : throw Wrong($"{Join(name)}[{i}]", "is not a string"))];

    /// <summary>A nested object; an empty one when the field is absent.</summary>
    public ConfigObject Object(string name)
    {
        var child = new ConfigObject(_file, Join(name), Take(name) ?? default);
        _children.Add(child);
        return child;
    }

    public List<ConfigObject> Objects(string name)
    {
        List<ConfigObject> all = [.. Elements(name).Select((e, i) => new ConfigObject(_file, $"{Join(name)}[{i}]", e))];
        _children.AddRange(all);
        return all;
    }

    /// <summary>String keys to scalar values, as text (feature gates, labels).</summary>
    public Dictionary<string, string> Map(string name)
    {
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        if (Take(name) is not { } e) return map;
        if (e.ValueKind != JsonValueKind.Object) throw Wrong(Join(name), "is not a mapping");
        foreach (var field in e.EnumerateObject()) map[field.Name] = field.Value.ToString();
        return map;
    }

    /// <summary>A field as JSON in UTF-8, to be read by somebody else; null when it is absent.</summary>
    public byte[]? Json(string name) => Take(name) is { } e ? Encoding.UTF8.GetBytes(e.GetRawText()) : null;

    /// <summary>Accepts fields that have no effect here; returns the paths of those that were given.</summary>
    public List<string> Inert(params ReadOnlySpan<string> names)
    {
        List<string> given = [];
        foreach (var name in names)
        {
            if (Take(name) is not null) given.Add(Join(name));
        }
        return given;
    }

    /// <summary>A problem with a field of this object, as an exception to throw.</summary>
    public ComponentException Wrong(string field, string what, Exception? inner = null) =>
        inner is null ? new($"{_file}: {field} {what}") : new($"{_file}: {field} {what}", inner);

    /// <summary>Throws when a field was given that nobody asked for, here or in an object read from here.</summary>
    public void Done()
    {
        foreach (var name in _fields.Keys) throw Wrong(Join(name), "is unknown; see the upstream reference of this configuration for its spelling");
        foreach (var child in _children) child.Done();
    }

    private JsonElement? Take(string name) =>
        _fields.Remove(name, out var e) && e.ValueKind != JsonValueKind.Null ? e : null;

    private IEnumerable<JsonElement> Elements(string name)
    {
        if (Take(name) is not { } e) return [];
        return e.ValueKind == JsonValueKind.Array ? e.EnumerateArray() : throw Wrong(Join(name), "is not a list");
    }

    private string Join(string name) => _path.Length == 0 ? name : $"{_path}.{name}";
}
