using System.Globalization;
using Hardway.Api.Core.V1;
using Hardway.Grpc;
using Hardway.Kubelet.Configuration;
using Hardway.Kubelet.Cri;
using Hardway.Kubelet.Events;
using Hardway.Kubelet.Images;
using Hardway.Kubelet.Lifecycle;
using Hardway.Kubelet.Logs;
using Hardway.Kubelet.Runtime;
using Hardway.Kubelet.Volumes;
using Container = Hardway.Api.Core.V1.Container;

namespace Hardway.Kubelet.Containers;

/// <summary>Where a container is to be started.</summary>
internal sealed record StartTarget(string SandboxId, PodSandboxConfig Sandbox, IReadOnlyList<string> PodIps, IReadOnlyDictionary<string, MountedVolume> Volumes);

/// <summary>
/// Starts one attempt of one container: 1. image, 2. environment and mounts, 3. create, 4. start, 5. postStart hook.
/// What goes wrong is a <see cref="ContainerConfigException"/> with upstream's reason.
/// </summary>
internal sealed class ContainerStarter(
    RuntimeClient client, ImagePuller images, EnvironmentBuilder environment, MountBuilder mounts, HookRunner hooks, PodEvents events,
    KubeletConfig config, NodeFacts node, PodDirectories directories, Func<IEnumerable<Service>> services, bool unifiedCgroups)
{
    public async Task<string> StartAsync(Pod pod, Container container, uint attempt, StartTarget target, string? pidTarget, CancellationToken stop)
    {
        // 1.
        var image = await images.EnsureAsync(pod, container, target.Sandbox, stop);
        // 2.
        var variables = await environment.BuildAsync(pod, container, target.PodIps, services(), stop);
        var description = Describe(pod, container, attempt, image, variables, target, pidTarget);
        Directory.CreateDirectory($"{target.Sandbox.LogDirectory}/{container.Name}");
        // 3.
        var id = await CallAsync("CreateContainerError", pod, container, () => client.CreateContainerAsync(target.SandboxId, description, target.Sandbox, stop));
        events.Normal(pod, container, "Created", $"Created container: {container.Name}");
        // 4.
        await CallAsync("RunContainerError", pod, container, async () =>
        {
            await client.StartContainerAsync(id, stop);
            return id;
        });
        events.Normal(pod, container, "Started", $"Started container {container.Name}");
        LinkLog(pod, container, id, $"{target.Sandbox.LogDirectory}/{description.LogPath}");
        // 5.
        if (container.Lifecycle?.PostStart is { } hook && await hooks.RunAsync(pod, container, id, hook, target.PodIps, stop) is { } failure)
        {
            events.Warning(pod, container, "FailedPostStartHook", $"PostStartHook failed: {failure}");
            await client.StopContainerAsync(id, Pods.PodExtensions.GraceSeconds(pod), stop);
            throw new ContainerConfigException("PostStartHookError", $"PostStartHook failed: {failure}");
        }
        return id;
    }

    public static string Hash(Container container)
    {
        var hash = 2166136261u;
        foreach (var c in container.Name + "\n" + container.Image)
            hash = (hash ^ c) * 16777619u;
        return hash.ToString("x", CultureInfo.InvariantCulture);
    }

    private ContainerConfig Describe(Pod pod, Container container, uint attempt, Image image, List<KeyValuePair<string, string>> variables, StartTarget target, string? pidTarget)
    {
        var known = variables.ToDictionary(StringComparer.Ordinal);
        var description = new ContainerConfig
        {
            Metadata = new ContainerMetadata { Name = container.Name, Attempt = attempt },
            Image = new ImageSpec { Image = image.Id, UserSpecifiedImage = container.Image },
            WorkingDir = container.WorkingDir,
            LogPath = LogPaths.ContainerLog(container.Name, attempt),
            Stdin = container.Stdin,
            StdinOnce = container.StdinOnce,
            Tty = container.Tty,
            Linux = new LinuxContainerConfig
            {
                Resources = ContainerResources.Build(pod, container, node.Machine.MemoryBytes, config.CpuCfsQuota, unifiedCgroups, config.SwapBehavior == "LimitedSwap" ? node.Machine.SwapBytes : 0),
                SecurityContext = ContainerSecurity.Build(pod, container, image.Uid?.Value, image.Username, directories.Seccomp, pidTarget, config.SeccompDefault),
            },
        };
        description.Command.Add((container.Command ?? []).Select(c => EnvExpansion.Expand(c, known)));
        description.Args.Add((container.Args ?? []).Select(a => EnvExpansion.Expand(a, known)));
        description.Envs.Add(variables.Select(v => new Cri.KeyValue { Key = v.Key, Value = v.Value }));
        description.Mounts.Add(mounts.Build(pod, container, attempt, target.Volumes, known));
        description.Devices.Add(MountBuilder.Devices(container, target.Volumes));
        Label(pod, container, attempt, description);
        return description;
    }

    private static void Label(Pod pod, Container container, uint attempt, ContainerConfig description)
    {
        description.Labels[RuntimeLabels.PodName] = pod.Metadata.Name;
        description.Labels[RuntimeLabels.PodNamespace] = pod.Metadata.Namespace;
        description.Labels[RuntimeLabels.PodUid] = pod.Metadata.Uid;
        description.Labels[RuntimeLabels.ContainerName] = container.Name;
        description.Annotations[RuntimeLabels.Hash] = Hash(container);
        description.Annotations[RuntimeLabels.RestartCount] = attempt.ToString(CultureInfo.InvariantCulture);
        description.Annotations[RuntimeLabels.TerminationMessagePath] = container.TerminationMessagePath;
        description.Annotations[RuntimeLabels.TerminationMessagePolicy] = container.TerminationMessagePolicy;
        description.Annotations[RuntimeLabels.PodTerminationGracePeriod] = (pod.Spec.TerminationGracePeriodSeconds ?? 30).ToString(CultureInfo.InvariantCulture);
    }

    private async Task<string> CallAsync(string reason, Pod pod, Container container, Func<Task<string>> call)
    {
        try
        {
            return await call();
        }
        catch (GrpcException e)
        {
            events.Warning(pod, container, "Failed", $"Error: {e.Detail}");
            throw new ContainerConfigException(reason, e.Detail);
        }
    }

    /// <summary>Collectors look for /var/log/containers; a kubelet without it (a test) works all the same.</summary>
    private static void LinkLog(Pod pod, Container container, string id, string log)
    {
        if (!Directory.Exists(LogPaths.LinkDirectory))
            return;
        var link = LogPaths.Link(pod.Metadata.Name, pod.Metadata.Namespace, container.Name, id);
        File.Delete(link);
        File.CreateSymbolicLink(link, log);
    }
}
