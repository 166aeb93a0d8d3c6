using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.Kubelet.Pods;

/// <summary>The last step of a Pod's life in the API: deleted with no grace, if it still is the same Pod.</summary>
internal sealed class PodDeleter(KubeClient? client)
{
    public async Task DeleteAsync(Pod pod, CancellationToken stop)
    {
        if (client == null || pod.IsStatic())
            return;
        try
        {
            await client.DeleteAsync<Pod>(pod.Metadata.Namespace, pod.Metadata.Name, new DeleteOptions { GracePeriodSeconds = 0, Preconditions = new Preconditions { Uid = pod.Metadata.Uid } }, stop);
        }
        catch (ApiException e) when (e.IsNotFound || e.IsConflict)
        {
            // Gone, or another Pod has the name by now.
        }
    }
}
