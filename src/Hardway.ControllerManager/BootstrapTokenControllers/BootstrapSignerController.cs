using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>
/// Signs the kubeconfig in kube-public/cluster-info with every bootstrap token that may (a detached JWS a token, RFC 7515 appendix F), so that a new node
/// that has only a token can tell that the authority in it is the right one. Signatures of tokens that are gone are removed. One key: "cluster-info".
/// </summary>
internal sealed class BootstrapSignerController : ClusterController
{
    private const string MapNamespace = "kube-public";
    private const string MapName = "cluster-info";
    private const string Kubeconfig = "kubeconfig";
    private const string SignaturePrefix = "jws-kubeconfig-";
    private readonly Informer<Secret> _secrets;
    private readonly Informer<ConfigMap> _maps;

    public BootstrapSignerController(ControllerContext context) : base("bootstrap-signer-controller", "bootstrap-signer", context)
    {
        Workers = 1;
        _secrets = Watch<Secret>();
        _maps = Watch<ConfigMap>();
        _secrets.AddHandler(s => { if (BootstrapToken.Is(s)) Queue.Add(MapName); });
        _maps.AddHandler(m => { if (m.Metadata is { Namespace: MapNamespace, Name: MapName }) Queue.Add(MapName); });
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_maps.Store.Get(MapNamespace, MapName)?.Clone() is not { Data: { } data } map || !data.TryGetValue(Kubeconfig, out var text)) return;
        var now = Time.GetUtcNow();
        var wanted = data.Where(d => !d.Key.StartsWith(SignaturePrefix, StringComparison.Ordinal)).ToDictionary(d => d.Key, d => d.Value, StringComparer.Ordinal);
        foreach (var secret in _secrets.Store.List(BootstrapToken.Namespace))
        {
            if (BootstrapToken.ForSigning(secret, now) is not var (id, token)) continue;
            wanted[SignaturePrefix + id] = Sign(text, id, token);
            if (BootstrapToken.Expiration(secret) is { } end) Queue.AddAfter(key, end - now + TimeSpan.FromSeconds(1));
        }
        if (wanted.Count == data.Count && wanted.All(w => data.GetValueOrDefault(w.Key) == w.Value)) return;
        map.Data = wanted;
        await Client.UpdateAsync(map, cancellationToken);
    }

    /// <summary>HS256 over the content; the content itself is left out of the result.</summary>
    internal static string Sign(string content, string id, string token)
    {
        var header = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(new JsonObject { ["alg"] = "HS256", ["kid"] = id }.ToJsonString()));
        var payload = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(content));
        var signature = HMACSHA256.HashData(Encoding.UTF8.GetBytes(token), Encoding.ASCII.GetBytes($"{header}.{payload}"));
        return $"{header}..{Base64Url.EncodeToString(signature)}";
    }
}
