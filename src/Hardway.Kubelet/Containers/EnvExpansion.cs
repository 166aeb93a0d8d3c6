using System.Text;

namespace Hardway.Kubelet.Containers;

/// <summary>
/// $(NAME) in commands, arguments and values: replaced when the name is defined, kept as written when not; $$ is a dollar sign.
/// </summary>
internal static class EnvExpansion
{
    public static string Expand(string text, IReadOnlyDictionary<string, string> variables)
    {
        if (!text.Contains('$', StringComparison.Ordinal))
            return text;
        var result = new StringBuilder(text.Length + 16);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '$' || i + 1 == text.Length)
            {
                result.Append(text[i]);
                continue;
            }
            switch (text[i + 1])
            {
                case '$':
                    result.Append('$');
                    i++;
                    break;
                case '(' when text.IndexOf(')', i + 2) is > 0 and var end:
                    var name = text[(i + 2)..end];
                    result.Append(variables.TryGetValue(name, out var value) ? value : $"$({name})");
                    i = end;
                    break;
                default:
                    result.Append('$');
                    break;
            }
        }
        return result.ToString();
    }
}
