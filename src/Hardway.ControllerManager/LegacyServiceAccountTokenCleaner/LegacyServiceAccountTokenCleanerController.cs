using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>
/// Retires the token Secrets that older clusters made for every service account (KEP-2799): one that its account lists, no Pod mounts and nobody used for the
/// clean-up period is first marked invalid, and removed after another such period. Looks once a day; one key: "all".
/// </summary>
internal sealed class LegacyServiceAccountTokenCleanerController : ClusterController
{
    internal const string LastUsed = "kubernetes.io/legacy-token-last-used";
    internal const string InvalidSince = "kubernetes.io/legacy-token-invalid-since";
    private const string Tracking = "kube-apiserver-legacy-service-account-token-tracking";
    private const string DateFormat = "yyyy-MM-dd";
    private static readonly TimeSpan _period = TimeSpan.FromDays(1);
    private readonly Informer<Secret> _secrets;
    private readonly Informer<ServiceAccount> _accounts;
    private readonly Informer<Pod> _pods;
    private readonly TimeSpan _unused;

    public LegacyServiceAccountTokenCleanerController(ControllerContext context) : base("legacy-serviceaccount-token-cleaner-controller", "legacy-service-account-token-cleaner", context)
    {
        Workers = 1;
        _unused = context.Options.LegacyTokenCleanUpPeriod;
        _secrets = Watch<Secret>();
        _accounts = Watch<ServiceAccount>();
        _pods = Watch<Pod>();
        Queue.Add("all");
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        Queue.AddAfter(key, _period);
        // Without a record of when usage began to be noted, nobody knows what is unused.
        if (await Client.TryGetAsync<ConfigMap>("kube-system", Tracking, cancellationToken) is not { Data: { } data } || Date(data.GetValueOrDefault("since")) is not { } since) return;
        foreach (var account in _accounts.Store.List())
        {
            foreach (var name in (account.Secrets ?? []).Select(s => s.Name))
            {
                if (_secrets.Store.Get(account.Metadata.Namespace, name) is { } secret && IsTokenOf(secret, account)) await CleanAsync(secret, since, cancellationToken);
            }
        }
    }

    private async Task CleanAsync(Secret secret, DateTimeOffset since, CancellationToken ct)
    {
        var now = Time.GetUtcNow();
        if (LastUse(secret, since) is not { } used || used + _unused > now || IsMounted(secret)) return;
        if (Date(secret.Metadata.Labels?.GetValueOrDefault(InvalidSince)) is { } invalid)
        {
            if (invalid + _unused > now) return;
            await Client.DeleteAsync<Secret>(secret.Metadata.Namespace, secret.Metadata.Name, new DeleteOptions { Preconditions = new Preconditions { Uid = secret.Metadata.Uid, ResourceVersion = secret.Metadata.ResourceVersion } }, ct);
            return;
        }
        var labels = new JsonObject { [InvalidSince] = now.ToString(DateFormat, CultureInfo.InvariantCulture) };
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = secret.Metadata.Uid, ["resourceVersion"] = secret.Metadata.ResourceVersion, ["labels"] = labels } };
        await Client.PatchAsync<Secret>(secret.Metadata.Namespace, secret.Metadata.Name, PatchType.Merge, Encoding.UTF8.GetBytes(patch.ToJsonString()), ct);
    }

    /// <summary>The later of when tracking began, when it was made and when it was used; null: a label that cannot be read.</summary>
    private static DateTimeOffset? LastUse(Secret secret, DateTimeOffset since)
    {
        var last = secret.Metadata.CreationTimestamp is { } made && made > since ? made : since;
        if (secret.Metadata.Labels?.GetValueOrDefault(LastUsed) is not { } label) return last;
        // The label has a date only: the whole day counts.
        return Date(label) is { } used ? (used.AddDays(1) > last ? used.AddDays(1) : last) : null;
    }

    private bool IsMounted(Secret secret) =>
        _pods.Store.List(secret.Metadata.Namespace).Any(p => (p.Spec.Volumes ?? []).Exists(v => v.Secret?.SecretName == secret.Metadata.Name));

    private static bool IsTokenOf(Secret secret, ServiceAccount account) =>
        secret.Type == "kubernetes.io/service-account-token" && secret.Metadata.Annotations?.GetValueOrDefault("kubernetes.io/service-account.uid") == account.Metadata.Uid;

    private static DateTimeOffset? Date(string? text) =>
        DateTimeOffset.TryParseExact(text, DateFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date) ? date : null;
}
