using System.Text;
using Hardway.Api;

namespace Hardway.ApiServer.OpenApi;

/// <summary>
/// What the documents say of types and fields: our own words, made from the names until the schema has a text of its own for the field.
/// </summary>
internal static class Descriptions
{
    public static string OfType(TypeSchema type) =>
        type.Kind.Length > 0 && !type.Kind.EndsWith("List", StringComparison.Ordinal) ? $"{type.Kind}: an object of {Group(type)}, version {type.Version}."
        : type.Kind.Length > 0 ? $"A list of {type.Kind[..^4]} objects."
        : $"{Sentence(type.Name)}.";

    public static string OfField(TypeSchema type, FieldSchema field) => field.Name switch
    {
        "apiVersion" when type.Kind.Length > 0 => "The group and version of this object's schema.",
        "kind" when type.Kind.Length > 0 => "The kind of this object.",
        "metadata" when type.Kind.Length > 0 => "The object's name, labels, owners and history.",
        "spec" => "What is wanted.",
        "status" when field.Shape.Kind == ShapeKind.Struct => "What was last seen.",
        _ => Sentence(field.Name) + Values(field) + ".",
    };

    private static string Values(FieldSchema field) => (field.Enum ?? field.Known) is { Length: > 0 } values ? ": " + string.Join(", ", values) : "";

    private static string Group(TypeSchema type) => type.Group.Length == 0 ? "the core group" : type.Group;

    /// <summary>terminationGracePeriodSeconds as "Termination grace period seconds".</summary>
    private static string Sentence(string name)
    {
        var text = new StringBuilder();
        for (var i = 0; i < name.Length; i++)
        {
            var begins = char.IsUpper(name[i]) && i > 0 && (char.IsLower(name[i - 1]) || (i + 1 < name.Length && char.IsLower(name[i + 1])));
            if (begins)
            {
                text.Append(' ');
            }

            var keep = char.IsUpper(name[i]) && ((i > 0 && char.IsUpper(name[i - 1])) || (i + 1 < name.Length && char.IsUpper(name[i + 1])));
            text.Append(i == 0 ? char.ToUpperInvariant(name[0]) : keep ? name[i] : char.ToLowerInvariant(name[i]));
        }

        return text.ToString();
    }
}
