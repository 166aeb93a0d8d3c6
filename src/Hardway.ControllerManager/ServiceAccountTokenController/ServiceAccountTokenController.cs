using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;
using Hardway.Pki;

namespace Hardway.ControllerManager;

/// <summary>
/// Fills Secrets of type kubernetes.io/service-account-token with a token that does not expire, the authority and the namespace; removes those whose
/// service account is gone. (Pods get theirs by TokenRequest.) Keys are Secrets.
/// </summary>
internal sealed class ServiceAccountTokenController : Controller
{
    private const string Type = "kubernetes.io/service-account-token";
    private const string NameAnnotation = "kubernetes.io/service-account.name";
    private const string UidAnnotation = "kubernetes.io/service-account.uid";
    private readonly KubeClient _client;
    private readonly Informer<Secret> _secrets;
    private readonly Informer<ServiceAccount> _accounts;
    private readonly AsymmetricAlgorithm _key;
    private readonly byte[]? _authority;

    public ServiceAccountTokenController(ControllerContext context)
        : base("serviceaccount-token-controller", context.Logs, context.Time, context.Metrics)
    {
        _key = PemFiles.ReadPrivateKey(context.Options.ServiceAccountPrivateKeyFile);
        _authority = context.Options.RootCAFile.Length > 0 ? File.ReadAllBytes(context.Options.RootCAFile) : null;
        _client = context.Root;
        _secrets = Needs(context.Informers.Get<Secret>());
        _accounts = Needs(context.Informers.Get<ServiceAccount>());
        _secrets.AddHandler(s => { if (s.Type == Type) Queue.Add(KubeKey.Of(s)); });
        _accounts.AddHandler(AccountChanged);
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_secrets.Store.Get(key) is not { Type: Type } secret || secret.Metadata.DeletionTimestamp is not null) return;
        if (secret.Metadata.Annotations?.GetValueOrDefault(NameAnnotation) is not { Length: > 0 } name) return;
        var account = _accounts.Store.Get(secret.Metadata.Namespace, name) ?? await _client.TryGetAsync<ServiceAccount>(secret.Metadata.Namespace, name, cancellationToken);
        var uid = secret.Metadata.Annotations.GetValueOrDefault(UidAnnotation);
        if (account is null || (uid is { Length: > 0 } && uid != account.Metadata.Uid))
        {
            await _client.DeleteAsync<Secret>(secret.Metadata.Namespace, secret.Metadata.Name, new DeleteOptions { Preconditions = new Preconditions { Uid = secret.Metadata.Uid } }, cancellationToken);
            return;
        }
        var wanted = secret.Clone();
        wanted.Metadata.Annotations![UidAnnotation] = account.Metadata.Uid;
        var data = wanted.Data ??= new Dictionary<string, byte[]>(StringComparer.Ordinal);
        if (!data.ContainsKey("token")) data["token"] = Encoding.ASCII.GetBytes(Sign(account, secret));
        if (_authority is not null) data["ca.crt"] = _authority;
        data["namespace"] = Encoding.UTF8.GetBytes(secret.Metadata.Namespace);
        if (!ApiStruct.DeepEquals(wanted, secret)) await _client.UpdateAsync(wanted, cancellationToken);
    }

    protected override void Dispose(bool disposing)
    {
        _key.Dispose();
        base.Dispose(disposing);
    }

    private string Sign(ServiceAccount account, Secret secret)
    {
        var header = new JsonObject { ["alg"] = _key is RSA ? "RS256" : "ES256", ["kid"] = Base64Url.EncodeToString(SHA256.HashData(_key.ExportSubjectPublicKeyInfo())) };
        var claims = new JsonObject
        {
            ["iss"] = "kubernetes/serviceaccount",
            ["kubernetes.io/serviceaccount/namespace"] = account.Metadata.Namespace,
            ["kubernetes.io/serviceaccount/secret.name"] = secret.Metadata.Name,
            ["kubernetes.io/serviceaccount/service-account.name"] = account.Metadata.Name,
            ["kubernetes.io/serviceaccount/service-account.uid"] = account.Metadata.Uid,
            ["sub"] = $"system:serviceaccount:{account.Metadata.Namespace}:{account.Metadata.Name}",
        };
        var text = $"{Encode(header)}.{Encode(claims)}";
        var bytes = Encoding.ASCII.GetBytes(text);
        var signature = _key is RSA rsa ? rsa.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1) : ((ECDsa)_key).SignData(bytes, HashAlgorithmName.SHA256);
        return $"{text}.{Base64Url.EncodeToString(signature)}";
    }

    private static string Encode(JsonObject json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString()));

    private void AccountChanged(ServiceAccount account)
    {
        foreach (var secret in _secrets.Store.List(account.Metadata.Namespace))
        {
            if (secret.Type == Type && secret.Metadata.Annotations?.GetValueOrDefault(NameAnnotation) == account.Metadata.Name) Queue.Add(KubeKey.Of(secret));
        }
    }
}
