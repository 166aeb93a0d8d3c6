using System.Text.RegularExpressions;
using Hardway.Api;

namespace Hardway.ControllerManager;

/// <summary>
/// Finds what a CEL expression reads of the object that the schema does not have: chains such as object.spec.replicas, followed through structs, and into
/// lists and maps no further. Text in quotes is passed over. Pure; the server has checked the syntax when the policy was written.
/// </summary>
internal static partial class ExpressionFields
{
    /// <summary>"undefined field 'x' ..." for each wrong chain, once.</summary>
    public static IEnumerable<string> Undefined(string expression, TypeSchema schema)
    {
        HashSet<string> told = new(StringComparer.Ordinal);
        var plain = Quoted().Replace(expression, "''");
        foreach (Match chain in Chains().Matches(plain))
        {
            var end = chain.Index + chain.Length;
            if (FirstWrong(chain.Groups[2].Value, end < plain.Length && plain[end] == '(', schema) is { } wrong && told.Add(wrong)) yield return wrong;
        }
    }

    private static string? FirstWrong(string chain, bool endsInCall, TypeSchema schema)
    {
        var names = chain.Split('.', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (endsInCall) names = names[..^1];
        foreach (var text in names)
        {
            var name = text.TrimStart('?');
            if (schema.Field(name) is not { } field) return $"undefined field '{name}' in {schema.Name}";
            if (field.Shape.Kind != ShapeKind.Struct) return null;
            schema = field.Shape.Type;
        }
        return null;
    }

    [GeneratedRegex(@"(?<![\w.])(object|oldObject)((?:\.\??[A-Za-z_]\w*)+)", RegexOptions.CultureInvariant)]
    private static partial Regex Chains();

    [GeneratedRegex(@"'(?:[^'\\]|\\.)*'|""(?:[^""\\]|\\.)*""", RegexOptions.CultureInvariant)]
    private static partial Regex Quoted();
}
