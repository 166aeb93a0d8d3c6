using System.Text;

namespace Hardway.Cel.Functions;

/// <summary>Kubernetes' way to name fields that are no identifiers: a.b is a__dot__b, namespace is __namespace__.</summary>
internal static class FieldNames
{
    public static string? Unescape(string field)
    {
        if (!field.Contains("__", StringComparison.Ordinal))
        {
            return null;
        }

        if (field.Length > 4 && field.StartsWith("__", StringComparison.Ordinal) && field.EndsWith("__", StringComparison.Ordinal) && field.AsSpan(2, field.Length - 4).IndexOf("__") < 0
            && field is not ("__underscores__" or "__dot__" or "__dash__" or "__slash__"))
        {
            return field[2..^2];
        }

        var result = new StringBuilder();
        for (var i = 0; i < field.Length;)
        {
            var rest = field.AsSpan(i);
            if (Take(rest, "__underscores__", "__") || Take(rest, "__dot__", ".") || Take(rest, "__dash__", "-") || Take(rest, "__slash__", "/"))
            {
                continue;
            }

            result.Append(field[i++]);

            bool Take(ReadOnlySpan<char> from, string escape, string plain)
            {
                if (!from.StartsWith(escape, StringComparison.Ordinal))
                {
                    return false;
                }

                result.Append(plain);
                i += escape.Length;
                return true;
            }
        }

        return result.ToString();
    }
}
