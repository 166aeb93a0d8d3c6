using Hardway.Kubelet.Cri;
using Hardway.Kubelet.Pods;
using Hardway.Kubelet.Runtime;

namespace Hardway.Kubelet.Housekeeping;

/// <summary>Removes all ended containers that are not their Pod's last word (its status and log need the newest attempt), when disk runs short.</summary>
internal sealed class ContainerCollection(RuntimeClient runtime, PodWorkers workers)
{
    public async Task CollectAllAsync(CancellationToken stop)
    {
        var all = await runtime.ListContainersAsync(null, stop);
        var groups = all.Where(c => c.Labels.ContainsKey(RuntimeLabels.PodUid)).GroupBy(c => (c.Labels[RuntimeLabels.PodUid], c.Metadata.Name));
        foreach (var group in groups.Where(g => workers.Knows(g.Key.Item1)))
        {
            foreach (var old in group.OrderByDescending(c => c.CreatedAt).Skip(1).Where(c => c.State == ContainerState.ContainerExited))
                await runtime.RemoveContainerAsync(old.Id, stop);
        }
    }
}
