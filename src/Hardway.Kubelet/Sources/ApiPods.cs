using Hardway.Api.Core.V1;
using Hardway.Client;
using Hardway.Kubelet.Pods;
using Hardway.Kubelet.Status;
using Microsoft.Extensions.Logging;

namespace Hardway.Kubelet.Sources;

/// <summary>
/// The Pods that the API server has for this node, handed to the workers. The API's images of static Pods (mirror Pods) are no Pods to
/// run; they are made here from the static Pods, and made anew when somebody deletes them.
/// </summary>
internal sealed partial class ApiPods(KubeClient client, Informer<Pod> informer, PodWorkers workers, StaticPods statics, StatusWriter status, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan MirrorPeriod = TimeSpan.FromSeconds(3);

    public void Attach() => informer.AddHandler(
        added: Changed,
        updated: (before, now) =>
        {
            if (before.Metadata.Uid != now.Metadata.Uid)
                workers.Remove(before.Metadata.Uid);
            Changed(now);
        },
        deleted: pod => workers.Remove(pod.Metadata.Uid));

    /// <summary>What the API has of a Pod: itself, or a static Pod's image; null when it has none, or another one of that name.</summary>
    public static Pod? Find(Informer<Pod> informer, Pod pod)
    {
        var found = informer.Store.Get(pod.Metadata.Namespace, pod.Metadata.Name);
        if (found == null || !pod.IsStatic())
            return found?.Metadata.Uid == pod.Metadata.Uid ? found : null;
        return found.Metadata.Annotations?.GetValueOrDefault(PodExtensions.ConfigMirror) == pod.Metadata.Uid ? found : null;
    }

    public async Task RunMirrorsAsync(CancellationToken stop)
    {
        await informer.WaitForSyncAsync(stop);
        using var timer = new PeriodicTimer(MirrorPeriod, time);
        do
        {
            foreach (var pod in statics.Pods)
                await MirrorAsync(pod, stop);
            await RemoveStrayMirrorsAsync(stop);
        }
        while (await timer.WaitForNextTickAsync(stop));
    }

    private void Changed(Pod pod)
    {
        if (pod.IsMirror())
            status.Recheck(pod.Metadata.Annotations![PodExtensions.ConfigMirror]);
        else
        {
            workers.Update(pod);
            status.Recheck(pod.Metadata.Uid);
        }
    }

    private async Task MirrorAsync(Pod pod, CancellationToken stop)
    {
        var present = informer.Store.Get(pod.Metadata.Namespace, pod.Metadata.Name);
        if (present?.Metadata.Annotations?.GetValueOrDefault(PodExtensions.ConfigMirror) == pod.Metadata.Uid && !present.IsTerminating())
            return;
        try
        {
            if (present != null)
                await client.DeleteAsync<Pod>(pod.Metadata.Namespace, pod.Metadata.Name, new Api.Meta.V1.DeleteOptions { GracePeriodSeconds = 0 }, stop);
            var mirror = (Pod)pod.DeepClone();
            mirror.Metadata.Annotations![PodExtensions.ConfigMirror] = pod.Metadata.Uid;
            mirror.Metadata.Uid = "";
            mirror.Metadata.CreationTimestamp = null;
            mirror.Status = new PodStatus();
            var node = await client.GetAsync<Node>(null, pod.Spec.NodeName, stop);
            mirror.Metadata.OwnerReferences = [new Api.Meta.V1.OwnerReference { ApiVersion = "v1", Kind = "Node", Name = node.Metadata.Name, Uid = node.Metadata.Uid, Controller = true }];
            await client.CreateAsync(mirror, stop);
        }
        catch (Exception e) when (e is ApiException or HttpRequestException)
        {
            LogFailed(log, pod.Metadata.Namespace, pod.Metadata.Name, e.Message);
        }
    }

    private async Task RemoveStrayMirrorsAsync(CancellationToken stop)
    {
        var wanted = statics.Pods.Select(p => p.Metadata.Uid).ToHashSet(StringComparer.Ordinal);
        foreach (var mirror in informer.Store.List().Where(p => p.IsMirror() && !wanted.Contains(p.Metadata.Annotations![PodExtensions.ConfigMirror])))
        {
            try
            {
                await client.DeleteAsync<Pod>(mirror.Metadata.Namespace, mirror.Metadata.Name, new Api.Meta.V1.DeleteOptions { GracePeriodSeconds = 0 }, stop);
            }
            catch (Exception e) when (e is ApiException or HttpRequestException)
            {
                LogFailed(log, mirror.Metadata.Namespace, mirror.Metadata.Name, e.Message);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The mirror of static Pod {Namespace}/{Name} could not be brought up to date: {Reason}")]
    private static partial void LogFailed(ILogger log, string @namespace, string name, string reason);
}
