using System.Text;
using Hardway.Api;
using Hardway.Api.Core.V1;

namespace Hardway.ControllerManager;

/// <summary>A bootstrap token as its Secret in kube-system holds it: pure.</summary>
internal static class BootstrapToken
{
    public const string Namespace = "kube-system";
    public const string SecretType = "bootstrap.kubernetes.io/token";
    private const string NamePrefix = "bootstrap-token-";

    public static bool Is(Secret secret) => secret.Type == SecretType && secret.Metadata.Namespace == Namespace;

    public static string Value(Secret secret, string key) => secret.Data?.GetValueOrDefault(key) is { } bytes ? Encoding.UTF8.GetString(bytes) : "";

    /// <summary>When it expires; null: never. A time that cannot be read has passed.</summary>
    public static DateTimeOffset? Expiration(Secret secret) =>
        Value(secret, "expiration") is not { Length: > 0 } text ? null : ApiTime.TryParse(text, out var at) ? at : DateTimeOffset.MinValue;

    /// <summary>Identity and secret of a token that may sign, or null.</summary>
    public static (string Id, string Secret)? ForSigning(Secret secret, DateTimeOffset now)
    {
        if (!Is(secret) || secret.Metadata.DeletionTimestamp is not null) return null;
        var id = Value(secret, "token-id");
        var key = Value(secret, "token-secret");
        if (id.Length == 0 || key.Length == 0 || secret.Metadata.Name != NamePrefix + id) return null;
        if (Value(secret, "usage-bootstrap-signing") != "true" || Expiration(secret) <= now) return null;
        return (id, key);
    }
}
