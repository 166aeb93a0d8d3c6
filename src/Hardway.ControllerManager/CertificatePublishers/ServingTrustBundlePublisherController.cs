using Hardway.Api;
using Hardway.Api.Certificates.V1Beta1;
using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>Publishes the authority of the API servers' certificates as a ClusterTrustBundle (KEP-3257), and removes bundles of that signer it published before. One key: the bundle.</summary>
internal sealed class ServingTrustBundlePublisherController : ClusterController
{
    private const string Signer = "kubernetes.io/kube-apiserver-serving";
    private const string NamePrefix = "kubernetes.io:kube-apiserver-serving:";
    private readonly Informer<ClusterTrustBundle> _bundles;
    private readonly string _authority;
    private readonly string _name;

    public ServingTrustBundlePublisherController(ControllerContext context, string authority)
        : base("kube-apiserver-serving-clustertrustbundle-publisher-controller", "kube-apiserver-serving-clustertrustbundle-publisher", context)
    {
        Workers = 1;
        _authority = authority;
        _name = NamePrefix + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(authority)))[..16];
        _bundles = Watch<ClusterTrustBundle>();
        _bundles.AddHandler(b => { if (b.Spec.SignerName == Signer) Queue.Add(_name); });
        Queue.Add(_name);
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        var wanted = new ClusterTrustBundle { Metadata = new ObjectMeta { Name = _name }, Spec = new ClusterTrustBundleSpec { SignerName = Signer, TrustBundle = _authority } };
        if (_bundles.Store.Get(_name) is not { } current)
        {
            try { await Client.CreateAsync(wanted, cancellationToken); }
            catch (ApiException e) when (e.IsAlreadyExists) { }
        }
        else if (!ApiStruct.DeepEquals(current.Spec, wanted.Spec))
        {
            var changed = current.Clone();
            changed.Spec = wanted.Spec;
            await Client.UpdateAsync(changed, cancellationToken);
        }
        foreach (var old in _bundles.Store.List().Where(b => b.Spec.SignerName == Signer && b.Metadata.Name != _name)) await Client.DeleteAsync<ClusterTrustBundle>(null, old.Metadata.Name, null, cancellationToken);
    }
}
