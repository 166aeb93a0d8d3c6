using System.Security.Cryptography;
using System.Text;
using Hardway.ApiServer.Http;

namespace Hardway.ApiServer.Authentication;

/// <summary>--token-auth-file: lines of token,user,uid and, quoted, a comma separated list of groups. Read once at start.</summary>
internal sealed class TokenFileAuthenticator : ITokenAuthenticator
{
    private const int Largest = 4 << 20;

    // By digest: looking up a digest tells nothing about how much of a token was right.
    private readonly Dictionary<string, UserInfo> _users = new(StringComparer.Ordinal);

    private TokenFileAuthenticator()
    {
    }

    public static TokenFileAuthenticator Read(string path)
    {
        if (new FileInfo(path).Length > Largest)
        {
            throw new InvalidDataException($"{path} is larger than {Largest} bytes");
        }

        return Parse(path, File.ReadAllText(path));
    }

    internal static TokenFileAuthenticator Parse(string path, string text)
    {
        var all = new TokenFileAuthenticator();
        var number = 0;
        foreach (var line in text.Split('\n'))
        {
            number++;
            var trimmed = line.Trim();
            if (trimmed.Length == 0 || trimmed[0] == '#')
            {
                continue;
            }

            var fields = Fields(trimmed);
            if (fields.Count < 3)
            {
                throw new InvalidDataException($"{path}: line {number} has {fields.Count} fields; it must have token, user and uid, and may have groups in quotes");
            }

            if (fields[0].Length == 0)
            {
                throw new InvalidDataException($"{path}: line {number} has an empty token");
            }

            all._users[Digest(fields[0])] = new UserInfo(fields[1])
            {
                Uid = fields[2],
                Groups = fields.Count > 3 ? fields[3].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) : [],
            };
        }

        return all;
    }

    public ValueTask<AuthenticationResult> AuthenticateTokenAsync(string token, IReadOnlyList<string> audiences, CancellationToken cancellationToken) =>
        ValueTask.FromResult(_users.TryGetValue(Digest(token), out var user) ? AuthenticationResult.Success(user) : AuthenticationResult.NotHandled);

    private static string Digest(string token) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    private static List<string> Fields(string line)
    {
        var fields = new List<string>();
        var field = new StringBuilder();
        var quoted = false;
        for (var i = 0; i < line.Length; i++)
        {
            var c = line[i];
            if (quoted && c == '"' && i + 1 < line.Length && line[i + 1] == '"')
            {
                field.Append('"');
                i++;
            }
            else if (c == '"')
            {
                quoted = !quoted;
            }
            else if (c == ',' && !quoted)
            {
                fields.Add(field.ToString().Trim());
                field.Clear();
            }
            else
            {
                field.Append(c);
            }
        }

        fields.Add(field.ToString().Trim());
        return fields;
    }
}
