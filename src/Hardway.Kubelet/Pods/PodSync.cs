using Hardway.Api.Core.V1;
using Hardway.Grpc;
using Hardway.Kubelet.Containers;
using Hardway.Kubelet.Cri;
using Hardway.Kubelet.Network;
using Hardway.Kubelet.Probes;
using Hardway.Kubelet.Resizing;
using Hardway.Kubelet.Runtime;
using Hardway.Kubelet.Sources;
using Hardway.Kubelet.Status;
using Hardway.Kubelet.Volumes;
using Hardway.Linux.Cgroups;

namespace Hardway.Kubelet.Pods;

/// <summary>How a turn ended: finished for good, to be ended by the kubelet, or to look again after a while at the latest.</summary>
internal readonly record struct SyncOutcome(bool Finished, TimeSpan Again, PodEviction? Eviction = null);

/// <summary>
/// The turns of a Pod that is to run: 1. admission, 2. directories, cgroup, 3. sandbox and volumes side by side, 4. containers as planned,
/// until nothing is left to do now. The status is told after each step that changes it. Used by one worker.
/// </summary>
internal sealed class PodSync(PodServices services, PodProbes probes, PodFacts facts, ResizeProgress resize)
{
    private IReadOnlyDictionary<string, MountedVolume>? _volumes;
    private DateTimeOffset _volumesAt;
    private bool _prepared, _startTold, _placed;
    private volatile bool _dataChanged;
    private readonly long _seen = services.Time.GetTimestamp();

    public PodProbes Probes => probes;

    /// <summary>A ConfigMap or Secret of the Pod is another one: the next turn brings the volumes up to date. Any thread.</summary>
    public void DataChanged() => _dataChanged = true;

    /// <param name="stop">The kubelet's end; probes live longer than a turn.</param>
    public async Task<SyncOutcome> TurnAsync(Pod wanted, CancellationToken stop, CancellationToken turn)
    {
        var pod = services.Allocations.Apply(wanted);
        var runtime = await services.Reader.ReadAsync(pod.Metadata.Uid, turn);
        // 1.
        if (pod.Status.IsFinished() || services.Status.Get(pod.Metadata.Uid)?.IsFinished() == true)
            return new SyncOutcome(true, TimeSpan.Zero);
        if ((await MisplacedAsync(pod, runtime, turn) ?? services.Admission.Admit(pod, runtime.Sandboxes.Count > 0)) is { } refusal)
        {
            services.Events.Warning(pod, null, refusal.Reason, refusal.Message);
            services.Status.Set(pod, PodStatusBuilder.Rejected(pod, refusal.Reason, refusal.Message, Input(pod, runtime, false)));
            return new SyncOutcome(true, TimeSpan.Zero);
        }
        pod = resize.Decide(wanted);
        services.Objects.Follow(pod);
        while (true)
        {
            await probes.FollowAsync(pod, runtime, stop);
            Publish(pod, runtime);
            if (pod.Spec.ActiveDeadlineSeconds is { } seconds && DeadlinePassed(pod, seconds))
                return new SyncOutcome(false, TimeSpan.Zero, new PodEviction("DeadlineExceeded", "Pod was active on the node longer than the specified deadline", pod.Spec.TerminationGracePeriodSeconds ?? 30, false));
            var plan = PodPlan.Compute(pod, runtime, facts.ProbeFailure, name => facts.Of(pod, runtime, name), c => resize.ActionFor(pod, c));
            if (plan.Finished)
                return new SyncOutcome(true, TimeSpan.Zero);
            if (plan.NewSandbox || _volumes == null)
            {
                // 2. and 3.
                await PrepareAsync(pod, turn);
                await SandboxAndVolumesAsync(pod, runtime, plan.NewSandbox, turn);
                runtime = await services.Reader.ReadAsync(pod.Metadata.Uid, turn);
                if (plan.NewSandbox)
                    continue;
            }
            // 4.
            if (!await ContainersAsync(pod, runtime, plan, turn))
                break;
            runtime = await services.Reader.ReadAsync(pod.Metadata.Uid, turn);
            await PruneAsync(runtime, turn);
        }
        if (!_startTold && runtime.Running.Any())
        {
            services.Metrics.PodStart.Observe(services.Time.GetElapsedTime(_seen));
            _startTold = true;
        }
        await RefreshAsync(pod, runtime, turn);
        return new SyncOutcome(false, NextLook(pod, runtime));
    }

    /// <summary>Whoever set nodeName without a scheduler may have overlooked what the Pod says of its node.</summary>
    private async Task<AdmissionCheck.Refusal?> MisplacedAsync(Pod pod, RuntimePod runtime, CancellationToken turn) =>
        !_placed && runtime.Sandboxes.Count == 0 && !pod.IsStatic() && NodeSelection.IsSelective(pod) && !(_placed = NodeSelection.Fits(pod, await services.Objects.NodeAsync(turn)))
            ? new AdmissionCheck.Refusal("NodeAffinity", "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector")
            : null;

    private void Publish(Pod pod, RuntimePod runtime) => services.Status.Set(pod, PodStatusBuilder.Build(pod, runtime, Input(pod, runtime, false)));

    private PodStatusInput Input(Pod pod, RuntimePod runtime, bool ending) =>
        new(services.Node.Ips, name => facts.Of(pod, runtime, name), services.Time.GetUtcNow(), ending, resize.Conditions(pod, runtime));

    private async Task PrepareAsync(Pod pod, CancellationToken turn)
    {
        if (_prepared)
            return;
        Directory.CreateDirectory(services.Directories.Of(pod.Metadata.Uid), (UnixFileMode)0x1E8);
        Directory.CreateDirectory(services.Sandboxes.Build(pod, 0).LogDirectory);
        if (services.Config.CgroupsPerQos)
            await services.Cgroups.EnsureAsync(services.CgroupNames.Of(pod), services.CgroupNames.ResourcesOf(pod), turn);
        _prepared = true;
    }

    private async Task SandboxAndVolumesAsync(Pod pod, RuntimePod runtime, bool newSandbox, CancellationToken turn)
    {
        var volumes = VolumesAsync(pod, runtime.Ips, turn);
        try
        {
            if (newSandbox)
                await RunSandboxAsync(pod, runtime, turn);
        }
        finally
        {
            await volumes;
        }
    }

    private async Task VolumesAsync(Pod pod, IReadOnlyList<string> ips, CancellationToken turn)
    {
        try
        {
            _volumes = await services.Volumes.SetUpAsync(pod, ips, turn);
            _volumesAt = services.Time.GetUtcNow();
        }
        catch (VolumeException e)
        {
            services.Events.Warning(pod, null, "FailedMount", e.Message);
            throw new IOException(e.Message);
        }
    }

    private async Task RunSandboxAsync(Pod pod, RuntimePod runtime, CancellationToken turn)
    {
        var attempt = runtime.Sandboxes.Count == 0 ? 0 : runtime.Sandboxes.Max(s => s.Attempt) + 1;
        if (attempt > 0)
            services.Events.Normal(pod, null, "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
        foreach (var old in runtime.Sandboxes)
            await services.Runtime.StopPodSandboxAsync(old.Id, turn);
        if (pod.Spec.HostUsers == false)
        {
            var refusal = $"Failed to create pod sandbox: the Pod wants a user namespace of its own (hostUsers: false), which {services.Node.Runtime} does not offer on this node";
            services.Events.Warning(pod, null, "FailedCreatePodSandBox", refusal);
            throw new IOException(refusal);
        }
        try
        {
            await services.Runtime.RunPodSandboxAsync(services.Sandboxes.Build(pod, attempt), await services.Objects.RuntimeHandlerAsync(pod.Spec.RuntimeClassName, turn), turn);
        }
        catch (RuntimeClassException e)
        {
            services.Events.Warning(pod, null, "FailedCreatePodSandBox", $"Failed to create pod sandbox: {e.Message}");
            throw;
        }
        catch (GrpcException e)
        {
            services.Events.Warning(pod, null, "FailedCreatePodSandBox", $"Failed to create pod sandbox: {e.Detail}");
            throw;
        }
        foreach (var old in runtime.Sandboxes.Skip(1))
            await services.Runtime.RemovePodSandboxAsync(old.Id, turn);
    }

    /// <summary>True: something was done, look again.</summary>
    private async Task<bool> ContainersAsync(Pod pod, RuntimePod runtime, PodPlan plan, CancellationToken turn)
    {
        foreach (var kill in plan.Kill)
            await services.Killer.KillAsync(pod, kill.Target, runtime.Ips, GraceOf(pod, kill), kill.Reason, turn);
        if (plan.Resize.Count > 0)
            await services.Resizer.ResizeAsync(pod, plan.Resize, resize, turn);
        var done = plan.Kill.Count > 0;
        foreach (var start in plan.Start)
            done |= await StartAsync(pod, runtime, start, turn);
        return done;
    }

    private static long GraceOf(Pod pod, PlannedKill kill)
    {
        var container = Qos.PodQos.AllContainers(pod).FirstOrDefault(c => c.Name == kill.Target.Name);
        return (kill.ByProbe ? container?.LivenessProbe?.TerminationGracePeriodSeconds ?? container?.StartupProbe?.TerminationGracePeriodSeconds : null)
            ?? pod.Spec.TerminationGracePeriodSeconds ?? 30;
    }

    private async Task<bool> StartAsync(Pod pod, RuntimePod runtime, PlannedStart start, CancellationToken turn)
    {
        var container = start.Container;
        var key = RestartKey(pod, container);
        var ended = start.Last?.FinishedAt ?? start.Last?.CreatedAt;
        if (ended is { } since && services.Restarts.Remaining(key, since) > TimeSpan.Zero)
        {
            var message = $"back-off {Go(services.Restarts.Delay(key))} restarting failed container={container.Name} pod={pod.FullName()}";
            facts.Waits(container.Name, "CrashLoopBackOff", message);
            services.Events.Warning(pod, container, "BackOff", $"Back-off restarting failed container {container.Name} in pod {pod.FullName()}");
            Publish(pod, runtime);
            return false;
        }
        if (start.Last == null && services.Images.NextAttempt(pod.Metadata.Uid) > TimeSpan.Zero && facts.Of(pod, runtime, container.Name).WaitingReason == "ImagePullBackOff")
            return false;
        try
        {
            WriteHosts(pod, runtime);
            if (ended is { } at)
                services.Restarts.Next(key, at);
            var sandbox = runtime.ReadySandbox!;
            var target = new StartTarget(sandbox.Id, services.Sandboxes.Build(pod, sandbox.Attempt), pod.HostNetwork() ? services.Node.Ips : sandbox.Ips, _volumes!);
            await services.Starter.StartAsync(pod, container, start.Attempt, target, PidTarget(pod, runtime, container), turn);
            facts.Waits(container.Name);
            resize.Actuated(pod, container.Name);
            return true;
        }
        catch (ContainerConfigException e)
        {
            facts.Waits(container.Name, e.Reason, e.Message);
            if (e.Reason is "CreateContainerConfigError" or "ErrImageNeverPull" or "InvalidImageName" or "ErrImagePull" or "ImagePullBackOff")
                services.Events.Warning(pod, container, "Failed", $"Error: {(e.Reason == "CreateContainerConfigError" ? e.Message : e.Reason)}");
            Publish(pod, runtime);
            // A created container that could not be started shows in the runtime: the next attempt has another number and waits its turn.
            return false;
        }
    }

    private static string? PidTarget(Pod pod, RuntimePod runtime, Api.Core.V1.Container container) =>
        pod.Spec.EphemeralContainers?.FirstOrDefault(e => e.Name == container.Name)?.TargetContainerName is { Length: > 0 } name ? runtime.Latest(name)?.Id : null;

    private void WriteHosts(Pod pod, RuntimePod runtime)
    {
        var aliases = (pod.Spec.HostAliases ?? []).Select(a => (a.Ip, (IReadOnlyList<string>)(a.Hostnames ?? [])));
        var text = pod.HostNetwork()
            ? HostsFile.ForHostNetwork(File.Exists("/etc/hosts") ? File.ReadAllText("/etc/hosts") : "", aliases)
            : HostsFile.ForPod(runtime.Ips, services.Sandboxes.HostName(pod), services.Sandboxes.Domain(pod), aliases);
        var path = services.Directories.EtcHosts(pod);
        // Containers have this very file mounted: it is written in place, never replaced.
        if (!File.Exists(path) || File.ReadAllText(path) != text)
            File.WriteAllText(path, text);
    }

    /// <summary>Of each container only the newest two attempts are kept: the current one and the one before, for its logs.</summary>
    private async Task PruneAsync(RuntimePod runtime, CancellationToken turn)
    {
        foreach (var old in runtime.Containers.GroupBy(c => c.Name).SelectMany(g => g.Skip(2)).Where(c => !c.IsRunning))
            await services.Runtime.RemoveContainerAsync(old.Id, turn);
    }

    private async Task RefreshAsync(Pod pod, RuntimePod runtime, CancellationToken turn)
    {
        if (runtime.ReadySandbox == null || (services.Time.GetUtcNow() < _volumesAt + services.Config.SyncFrequency && !_dataChanged))
            return;
        _dataChanged = false;
        _volumesAt = services.Time.GetUtcNow();
        try
        {
            await services.Volumes.RefreshAsync(pod, runtime.Ips, turn);
        }
        catch (VolumeException e)
        {
            services.Events.Warning(pod, null, "FailedMount", e.Message);
        }
    }

    private bool DeadlinePassed(Pod pod, long seconds)
    {
        var started = pod.Status.StartTime ?? services.Status.Get(pod.Metadata.Uid)?.StartTime;
        return started is { } at && services.Time.GetUtcNow() >= at.AddSeconds(seconds);
    }

    /// <summary>The PLEG looks every second; an init container is looked at more often while it is young, for what comes after it waits.</summary>
    private TimeSpan InitPace(Pod pod, RuntimePod runtime)
    {
        var running = (pod.Spec.InitContainers ?? []).Where(c => !c.IsSidecar()).Select(c => runtime.Latest(c.Name)).FirstOrDefault(c => c?.IsRunning == true);
        if (running == null)
            return services.Config.SyncFrequency;
        return services.Time.GetUtcNow() - running.CreatedAt < TimeSpan.FromSeconds(2) ? TimeSpan.FromMilliseconds(50) : services.Config.SyncFrequency;
    }

    private TimeSpan NextLook(Pod pod, RuntimePod runtime)
    {
        var next = InitPace(pod, runtime);
        foreach (var container in Qos.PodQos.AllContainers(pod))
        {
            if (runtime.Latest(container.Name) is { IsExited: true, FinishedAt: { } at } && services.Restarts.Remaining(RestartKey(pod, container), at) is var left && left > TimeSpan.Zero && left < next)
                next = left;
            if (facts.Of(pod, runtime, container.Name).WaitingReason is "CreateContainerConfigError" or "CreateContainerError" or "RunContainerError" or "ErrImageNeverPull" or "InvalidImageName" && next > TimeSpan.FromSeconds(10))
                next = TimeSpan.FromSeconds(10);
        }
        if (resize.IsDeferred && next > TimeSpan.FromSeconds(5))
            next = TimeSpan.FromSeconds(5);
        if (services.Images.NextAttempt(pod.Metadata.Uid) is { } image && image < next)
            next = image;
        if (pod.Spec.ActiveDeadlineSeconds is { } seconds && pod.Status.StartTime is { } started && started.AddSeconds(seconds) - services.Time.GetUtcNow() is var until && until < next)
            next = until;
        return next > TimeSpan.Zero ? next : TimeSpan.FromMilliseconds(100);
    }

    private static string RestartKey(Pod pod, Api.Core.V1.Container container) => $"{pod.Metadata.Uid}/{container.Name}/{ContainerStarter.Hash(container)}";

    private static string Go(TimeSpan delay) => Hosting.GoDuration.Format(delay);
}
