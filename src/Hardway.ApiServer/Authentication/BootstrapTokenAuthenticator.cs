using System.Security.Cryptography;
using System.Text;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Authentication;

/// <summary>
/// Tokens for machines that join: ID.SECRET (6 and 16 small letters and digits), kept as the Secret bootstrap-token-ID in kube-system.
/// The user is system:bootstrap:ID, the group system:bootstrappers and what the Secret adds below that name.
/// </summary>
internal sealed class BootstrapTokenAuthenticator(IResourceReader reader, TimeProvider time) : ITokenAuthenticator
{
    private const string Group = "system:bootstrappers";
    private const int IdLength = 6;
    private const int SecretLength = 16;

    public ValueTask<AuthenticationResult> AuthenticateTokenAsync(string token, IReadOnlyList<string> audiences, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Authenticate(token));

    private AuthenticationResult Authenticate(string token)
    {
        if (token.Length != IdLength + 1 + SecretLength || token[IdLength] != '.' || !token.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '.'))
        {
            return AuthenticationResult.NotHandled;
        }

        var id = token[..IdLength];
        var secret = reader.Get<Secret>("kube-system", "bootstrap-token-" + id);
        if (secret is not { Type: "bootstrap.kubernetes.io/token" } || secret.Metadata.DeletionTimestamp is not null)
        {
            return AuthenticationResult.NotHandled;
        }

        var isRight = CryptographicOperations.FixedTimeEquals(Value(secret, "token-secret"), Encoding.ASCII.GetBytes(token[(IdLength + 1)..]));
        if (!isRight || Text(secret, "token-id") != id || Text(secret, "usage-bootstrap-authentication") != "true" || IsExpired(secret))
        {
            return AuthenticationResult.NotHandled;
        }

        var groups = new List<string> { Group };
        foreach (var extra in Text(secret, "auth-extra-groups").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!extra.StartsWith(Group + ":", StringComparison.Ordinal))
            {
                return AuthenticationResult.Failed($"the bootstrap token {id} names the group \"{extra}\", which is not below {Group}:");
            }

            groups.Add(extra);
        }

        return AuthenticationResult.Success(new UserInfo("system:bootstrap:" + id) { Groups = groups });
    }

    private bool IsExpired(Secret secret)
    {
        var text = Text(secret, "expiration");
        return text.Length > 0 && (!ApiTime.TryParse(text, out var at) || at <= time.GetUtcNow());
    }

    private static byte[] Value(Secret secret, string key) => secret.Data?.GetValueOrDefault(key) ?? [];

    private static string Text(Secret secret, string key) => Encoding.UTF8.GetString(Value(secret, key));
}
