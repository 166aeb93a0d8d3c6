using System.Globalization;

namespace Hardway.Api.FieldManagement;

/// <summary>
/// One step of a field path, in the form FieldsV1 writes it: "f:name" a field or map key, "k:{...}" a list item by its keys,
/// "v:..." a set's value, "i:n" an index. The text is the identity.
/// </summary>
public readonly record struct PathElement(string Text) : IComparable<PathElement>
{
    public static PathElement Field(string name) => new("f:" + name);

    public static PathElement Value(object? value) => new("v:" + Json(value));

    public static PathElement Index(int index) => new("i:" + index.ToString(CultureInfo.InvariantCulture));

    /// <summary>Keys are written sorted by name.</summary>
    public static PathElement Key(IEnumerable<KeyValuePair<string, object?>> keys) =>
        new("k:{" + string.Join(",", keys.OrderBy(k => k.Key, StringComparer.Ordinal).Select(k => Json(k.Key) + ":" + Json(k.Value))) + "}");

    public bool IsField => Text.StartsWith("f:", StringComparison.Ordinal);

    public string Rest => Text[2..];

    public static bool operator <(PathElement a, PathElement b) => a.CompareTo(b) < 0;

    public static bool operator >(PathElement a, PathElement b) => a.CompareTo(b) > 0;

    public static bool operator <=(PathElement a, PathElement b) => a.CompareTo(b) <= 0;

    public static bool operator >=(PathElement a, PathElement b) => a.CompareTo(b) >= 0;

    public int CompareTo(PathElement other) => string.CompareOrdinal(Text, other.Text);

    /// <summary>As conflicts show it: .name, [name="x"], [="v"], [0].</summary>
    public string ForPeople() => Text[0] switch
    {
        'f' => "." + Rest,
        'k' => "[" + KeysForPeople() + "]",
        'v' => "[=" + Rest + "]",
        _ => "[" + Rest + "]",
    };

    private static string Json(object? value) => System.Text.Encoding.UTF8.GetString(ApiJson.SerializeTree(value));

    private string KeysForPeople() =>
        ApiJson.DeserializeTree(System.Text.Encoding.UTF8.GetBytes(Rest)) is Dictionary<string, object?> keys
            ? string.Join(",", keys.Select(k => k.Key + "=" + Json(k.Value)))
            : Rest;
}
