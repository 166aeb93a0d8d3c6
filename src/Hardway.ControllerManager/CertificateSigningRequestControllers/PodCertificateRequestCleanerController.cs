using Hardway.Api.Certificates.V1Beta1;
using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>Removes PodCertificateRequests 15 minutes after they were made: by then a kubelet has what it asked for or asked again (KEP-4317). Keys are requests.</summary>
internal sealed class PodCertificateRequestCleanerController : ClusterController
{
    private static readonly TimeSpan _life = TimeSpan.FromMinutes(15);
    private readonly Informer<PodCertificateRequest> _requests;

    public PodCertificateRequestCleanerController(ControllerContext context) : base("podcertificaterequest-cleaner-controller", "podcertificaterequestcleaner", context)
    {
        Workers = 1;
        _requests = Watch<PodCertificateRequest>();
        _requests.AddHandler(added: r => Queue.Add(KubeKey.Of(r)));
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_requests.Store.Get(key) is not { } request || request.Metadata.CreationTimestamp is not { } made) return;
        var left = made + _life - Time.GetUtcNow();
        if (left > TimeSpan.Zero) Queue.AddAfter(key, left);
        else await Client.DeleteAsync<PodCertificateRequest>(request.Metadata.Namespace, request.Metadata.Name, new DeleteOptions { Preconditions = new Preconditions { Uid = request.Metadata.Uid } }, cancellationToken);
    }
}
