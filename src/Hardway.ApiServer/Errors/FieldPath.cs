using System.Globalization;

namespace Hardway.ApiServer.Errors;

/// <summary>Where in an object a value stands, as errors name it: spec.containers[0].env[KEY].name. Immutable.</summary>
internal sealed class FieldPath
{
    public static readonly FieldPath Root = new("");
    public static readonly FieldPath Metadata = new("metadata");
    public static readonly FieldPath Spec = new("spec");
    public static readonly FieldPath Status = new("status");

    private readonly string _text;

    private FieldPath(string text) => _text = text;

    public static FieldPath Of(string name, params ReadOnlySpan<string> more) => Root.Child(name, more);

    public FieldPath Child(string name) => new(_text.Length == 0 ? name : _text + "." + name);

    public FieldPath Child(string name, params ReadOnlySpan<string> more)
    {
        var path = Child(name);
        foreach (var next in more)
        {
            path = path.Child(next);
        }

        return path;
    }

    public FieldPath Index(int index) => new(_text + "[" + index.ToString(CultureInfo.InvariantCulture) + "]");

    public FieldPath Key(string key) => new(_text + "[" + key + "]");

    public override string ToString() => _text.Length == 0 ? "<nil>" : _text;
}
