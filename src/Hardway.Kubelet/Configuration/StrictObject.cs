using System.Globalization;
using System.Text.Json;

namespace Hardway.Kubelet.Configuration;

/// <summary>
/// One JSON object of a configuration file, read field by field. Every problem is collected with its path; when the object is
/// closed, a field that nobody asked for is one of them. A field we know and do not act on is noted as inert.
/// </summary>
internal sealed class StrictObject
{
    private readonly Dictionary<string, JsonElement> _fields = new(StringComparer.Ordinal);
    private readonly string _path;
    private readonly ConfigProblems _problems;

    public StrictObject(JsonElement? element, string path, ConfigProblems problems)
    {
        _path = path;
        _problems = problems;
        if (element is not { } present || present.ValueKind == JsonValueKind.Null)
            return;
        if (present.ValueKind != JsonValueKind.Object)
        {
            problems.Add(path, "must be an object");
            return;
        }
        foreach (var property in present.EnumerateObject())
        {
            if (!_fields.TryAdd(property.Name, property.Value))
                problems.Add(Path(property.Name), "is given twice");
        }
    }

    public string String(string name, string otherwise = "") =>
        Take(name, JsonValueKind.String) is { } value ? value.GetString()! : otherwise;

    public bool Bool(string name, bool otherwise)
    {
        if (Take(name) is not { } value)
            return otherwise;
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False)
            return value.GetBoolean();
        _problems.Add(Path(name), "must be true or false");
        return otherwise;
    }

    public long Integer(string name, long otherwise, long least = long.MinValue, long most = long.MaxValue)
    {
        if (Take(name, JsonValueKind.Number) is not { } value)
            return otherwise;
        if (value.TryGetInt64(out var number) && number >= least && number <= most)
            return number;
        _problems.Add(Path(name), $"must be a whole number from {least} to {most}");
        return otherwise;
    }

    /// <summary>A duration as Go writes it: 10s, 1m30s, 250ms; 0s counts as not set, as upstream's defaulting does.</summary>
    public TimeSpan Duration(string name, TimeSpan otherwise)
    {
        if (Take(name, JsonValueKind.String) is not { } value)
            return otherwise;
        if (GoDuration.TryParse(value.GetString()!, out var duration))
            return duration == TimeSpan.Zero ? otherwise : duration;
        _problems.Add(Path(name), $"'{value.GetString()}' is not a duration such as 10s or 1m30s");
        return otherwise;
    }

    public IReadOnlyList<string> Strings(string name)
    {
        if (Take(name, JsonValueKind.Array) is not { } value)
            return [];
        var result = new List<string>();
        foreach (var item in value.EnumerateArray())
        {
            if (item.ValueKind == JsonValueKind.String)
                result.Add(item.GetString()!);
            else
                _problems.Add(Path(name), "must be a list of strings");
        }
        return result;
    }

    public IReadOnlyDictionary<string, string> Map(string name)
    {
        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        if (Take(name, JsonValueKind.Object) is not { } value)
            return result;
        foreach (var property in value.EnumerateObject())
        {
            if (property.Value.ValueKind is JsonValueKind.String or JsonValueKind.Number)
                result[property.Name] = property.Value.ToString();
            else
                _problems.Add($"{Path(name)}.{property.Name}", "must be a string");
        }
        return result;
    }

    public bool Has(string name) => _fields.ContainsKey(name);

    /// <summary>A list of objects; each is to be closed by who reads it.</summary>
    public IReadOnlyList<StrictObject> Objects(string name)
    {
        if (Take(name, JsonValueKind.Array) is not { } value)
            return [];
        return [.. value.EnumerateArray().Select((item, i) => new StrictObject(item, $"{Path(name)}[{i}]", _problems))];
    }

    public StrictObject Object(string name) => new(Take(name), Path(name), _problems);

    /// <summary>Fields that upstream knows and this program does not act on: said once when set.</summary>
    public void Inert(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (_fields.Remove(name))
                _problems.Ignore(Path(name));
        }
    }

    public void Close()
    {
        foreach (var name in _fields.Keys)
            _problems.Add(Path(name), "is not a field that is known here");
    }

    private JsonElement? Take(string name) =>
        _fields.Remove(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private JsonElement? Take(string name, JsonValueKind kind)
    {
        if (Take(name) is not { } value)
            return null;
        if (value.ValueKind == kind)
            return value;
        _problems.Add(Path(name), string.Create(CultureInfo.InvariantCulture, $"must be a {kind switch { JsonValueKind.Array => "list", JsonValueKind.Object => "map", _ => kind.ToString().ToLowerInvariant() }}"));
        return null;
    }

    private string Path(string name) => _path.Length == 0 ? name : _path + "." + name;
}
