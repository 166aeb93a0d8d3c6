using Hardway.Provisioning.Addons;
using Hardway.Provisioning.Doctor;

namespace Hardway.Provisioning.Faults;

internal sealed class KubeletAccessMissing() : Fault("kubelet-access-missing", "the API servers may not call the kubelets")
{
    public override string Lesson =>
        "For logs, exec and port-forward the API server is a client of the kubelet, under its own certificate, and the kubelet asks the API whether that user may: a ClusterRole and its binding. "
        + "Without them the answer is Forbidden, for every node at once.";

    public override IReadOnlyList<string> Hints => ["kubectl logs is Forbidden, for every Pod.", "Who is the client of a kubelet?", $"kubectl auth can-i get nodes/proxy --as={Cluster.ClusterCertificates.ApiServerUser}"];

    public override IEnumerable<Diagnosis> Diagnose(Examination examination)
    {
        if (examination.Api.Problem is null && (examination.Api.KubeletRole is null || examination.Api.KubeletBinding is null))
        {
            var missing = examination.Api.KubeletRole is null ? "ClusterRole system:kube-apiserver-to-kubelet" : "ClusterRoleBinding system:kube-apiserver";
            yield return Found(null, $"there is no {missing}", "hardway step run kubelet-access");
        }
    }

    public override Task PutInAsync(FaultContext context, CancellationToken cancellation) => context.Api.DeleteAsync(Manifests.KubeletAccess[1].Path, cancellation);

    public override async Task TakeOutAsync(FaultContext context, CancellationToken cancellation)
    {
        foreach (var manifest in Manifests.KubeletAccess)
        {
            if (await context.Api.GetAsync(manifest.Path, cancellation).ConfigureAwait(false) is null)
            {
                await context.Api.PostAsync(manifest.Collection, manifest.Body, cancellation).ConfigureAwait(false);
            }
        }
    }
}
