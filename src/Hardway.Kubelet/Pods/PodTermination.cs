using Hardway.Api.Core.V1;
using Hardway.Grpc;
using Hardway.Kubelet.Probes;
using Hardway.Kubelet.Runtime;
using Hardway.Kubelet.Status;

namespace Hardway.Kubelet.Pods;

/// <summary>
/// The end of a Pod: containers stopped (sidecars last, in reverse order), status told, sandbox stopped, volumes and cgroup gone, then
/// (if it was deleted) the object, and at last the runtime's records and the logs. Every step may be repeated. Used by one worker.
/// </summary>
internal sealed class PodTermination(PodServices services, PodProbes probes, PodFacts facts)
{
    private static readonly TimeSpan UntilGone = TimeSpan.FromSeconds(10), Idle = TimeSpan.FromMinutes(5);

    private PodEviction? _eviction;

    /// <summary>The Pod has a deletion time: stop everything, then delete the object.</summary>
    public async Task<TimeSpan> DeleteAsync(Pod pod, CancellationToken turn)
    {
        var runtime = await StopAsync(pod, pod.GraceSeconds(), turn);
        await ReleaseAsync(pod, runtime, turn);
        await services.Status.FlushAsync(pod.Metadata.Uid, turn);
        await services.Deleter.DeleteAsync(pod, turn);
        // The watch tells when it is gone; finalizers may hold it.
        return UntilGone;
    }

    /// <summary>The Pod has run to its end: its object stays, its logs too.</summary>
    /// <param name="eviction">Null: by itself. Otherwise the kubelet ends it, and what its containers wrote goes as well.</param>
    public async Task<TimeSpan> FinishAsync(Pod pod, PodEviction? eviction, CancellationToken turn)
    {
        if (eviction != null && _eviction == null)
            services.Events.Warning(pod, null, eviction.Reason, eviction.Message);
        _eviction = eviction;
        var runtime = await StopAsync(pod, eviction?.GraceSeconds ?? pod.Spec.TerminationGracePeriodSeconds ?? 30, turn);
        await ReleaseAsync(pod, runtime, turn);
        foreach (var container in eviction == null ? [] : runtime.Containers)
            await IgnoreMissingAsync(services.Runtime.RemoveContainerAsync(container.Id, turn));
        services.Admission.Forget(pod.Metadata.Uid);
        return Idle;
    }

    /// <summary>The object is gone: nothing is left behind. True when that is so.</summary>
    public async Task<bool> LeaveAsync(Pod pod, CancellationToken turn)
    {
        var uid = pod.Metadata.Uid;
        var runtime = await StopAsync(pod, pod.GraceSeconds(), turn);
        await ReleaseAsync(pod, runtime, turn);
        foreach (var sandbox in runtime.Sandboxes)
            await IgnoreMissingAsync(services.Runtime.RemovePodSandboxAsync(sandbox.Id, turn));
        RemoveLogs(pod);
        services.Admission.Forget(uid);
        services.Status.Forget(uid);
        services.Images.Forget(uid);
        services.Data.Forget(uid);
        services.Allocations.Forget(uid);
        services.Objects.Forget(uid);
        services.Restarts.ForgetWithPrefix(uid + "/");
        services.Reader.Forget(runtime);
        return true;
    }

    private async Task<RuntimePod> StopAsync(Pod pod, long grace, CancellationToken turn)
    {
        var uid = pod.Metadata.Uid;
        await probes.EndKillingAsync();
        var runtime = await services.Reader.ReadAsync(uid, turn);
        facts.Clear();
        if (runtime.Running.Any())
        {
            Publish(pod, runtime, false);
            await KillAllAsync(pod, runtime, grace, turn);
            runtime = await services.Reader.ReadAsync(uid, turn);
        }
        await probes.DisposeAsync();
        Publish(pod, runtime, true);
        return runtime;
    }

    private async Task KillAllAsync(Pod pod, RuntimePod runtime, long grace, CancellationToken turn)
    {
        var start = services.Time.GetTimestamp();
        var sidecars = (pod.Spec.InitContainers ?? []).Where(c => c.IsSidecar()).Select(c => c.Name).Reverse().ToList();
        await Task.WhenAll(runtime.Running.Where(c => !sidecars.Contains(c.Name)).Select(c => services.Killer.KillAsync(pod, c, runtime.Ips, grace, null, turn)));
        foreach (var container in sidecars.SelectMany(name => runtime.Running.Where(c => c.Name == name)))
        {
            var left = grace - (long)services.Time.GetElapsedTime(start).TotalSeconds;
            await services.Killer.KillAsync(pod, container, runtime.Ips, Math.Max(grace > 0 ? 1 : 0, left), null, turn);
        }
    }

    private async Task ReleaseAsync(Pod pod, RuntimePod runtime, CancellationToken turn)
    {
        foreach (var sandbox in runtime.Sandboxes.Where(s => s.IsReady))
            await IgnoreMissingAsync(services.Runtime.StopPodSandboxAsync(sandbox.Id, turn));
        await services.Volumes.TearDownAsync(pod.Metadata.Uid, turn);
        if (services.Config.CgroupsPerQos)
            await services.Cgroups.RemoveAsync(services.CgroupNames.Of(pod), turn);
    }

    /// <summary>A Pod that was found only in the runtime has no containers in its spec: it has no status to tell either.</summary>
    private void Publish(Pod pod, RuntimePod runtime, bool ending)
    {
        if ((pod.Spec.Containers?.Count ?? 0) == 0)
            return;
        var before = services.Status.Get(pod.Metadata.Uid);
        var status = PodStatusBuilder.Build(pod, runtime, new PodStatusInput(services.Node.Ips, name => facts.Of(pod, runtime, name), services.Time.GetUtcNow(), ending));
        // The last word was spoken; what it was made from may be removed by now.
        if (before?.IsFinished() == true && (pod.Status.IsFinished() || _eviction != null || runtime.Containers.Count == 0))
            return;
        if (before?.IsFinished() == true)
            (status.Phase, status.Reason, status.Message) = (before.Phase, before.Reason, before.Message);
        if (_eviction is { } eviction)
            (status.Phase, status.Reason, status.Message) = (ending ? PodPhase.Failed : status.Phase, eviction.Reason, eviction.Message);
        status.Conditions = PodConditions.Compute(pod, status, runtime.ReadySandbox != null && !ending, services.Time.GetUtcNow(), Disruption());
        services.Status.Set(pod, status);
    }

    private IEnumerable<PodCondition> Disruption() => _eviction is { Disrupts: true } eviction
        ? [new PodCondition { Type = "DisruptionTarget", Status = "True", Reason = PodConditions.ByKubelet, Message = eviction.Message }]
        : [];

    private void RemoveLogs(Pod pod)
    {
        var directory = services.Sandboxes.Build(pod, 0).LogDirectory;
        if (Directory.Exists(directory))
            Directory.Delete(directory, true);
        if (!Directory.Exists(Logs.LogPaths.LinkDirectory))
            return;
        foreach (var link in new DirectoryInfo(Logs.LogPaths.LinkDirectory).EnumerateFiles($"{pod.Metadata.Name}_{pod.Metadata.Namespace}_*"))
        {
            if (link.LinkTarget?.StartsWith(directory + "/", StringComparison.Ordinal) == true)
                link.Delete();
        }
    }

    private static async Task IgnoreMissingAsync(Task call)
    {
        try
        {
            await call;
        }
        catch (GrpcException e) when (e.Status == StatusCode.NotFound)
        {
            // Gone already.
        }
    }
}
