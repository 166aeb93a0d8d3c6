using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Hosting;
using Hardway.Kubelet.Configuration;
using Hardway.Kubelet.Eviction;
using Hardway.Linux.Files;
using Hardway.Linux.Machine;

namespace Hardway.Kubelet.Nodes;

/// <summary>What the runtime says of itself at one moment.</summary>
internal sealed record RuntimeHealth(string Version, bool RuntimeReady, string RuntimeMessage, bool NetworkReady, string NetworkMessage, IReadOnlyList<Cri.Image> Images, IReadOnlyList<Cri.RuntimeHandler> Handlers);

/// <summary>Computes a node's status from the machine, the configuration and the runtime. Pure but for what is handed in.</summary>
internal sealed class NodeStatusBuilder(KubeletConfig config, NodeFacts facts, Func<string?> pleg, Func<IReadOnlySet<string>> pressure, Func<IReadOnlyList<string>> volumesInUse, Func<string?> shutdown, TimeProvider time)
{
    public static Dictionary<string, Quantity> Capacity(MachineInfo machine, KubeletConfig config, string rootDirectory) => new(StringComparer.Ordinal)
    {
        ["cpu"] = Quantity.FromValue(machine.Cpus),
        ["memory"] = Quantity.Parse($"{machine.MemoryBytes / 1024}Ki"),
        ["ephemeral-storage"] = Quantity.Parse($"{FileSystemStat.Of(rootDirectory).CapacityBytes / 1024}Ki"),
        ["hugepages-1Gi"] = Quantity.Zero,
        ["hugepages-2Mi"] = Quantity.Zero,
        ["pods"] = Quantity.FromValue(config.PodsPerCore > 0 ? Math.Min(config.MaxPods, config.PodsPerCore * machine.Cpus) : config.MaxPods),
    };

    /// <summary>Capacity less what is reserved for the system, for Kubernetes, and for eviction to begin in time.</summary>
    public static Dictionary<string, Quantity> Allocatable(Dictionary<string, Quantity> capacity, KubeletConfig config)
    {
        var result = new Dictionary<string, Quantity>(StringComparer.Ordinal);
        foreach (var (name, amount) in capacity)
        {
            var left = amount - Reserved(config.SystemReserved, name) - Reserved(config.KubeReserved, name);
            if (name == "memory")
                left -= Threshold(config, "memory.available", amount);
            if (name == "ephemeral-storage")
                left -= Threshold(config, "nodefs.available", amount);
            result[name] = left < Quantity.Zero ? Quantity.Zero : left;
        }
        return result;
    }

    public NodeStatus Build(NodeStatus before, RuntimeHealth runtime)
    {
        var now = time.GetUtcNow();
        return new NodeStatus
        {
            Capacity = new(facts.Capacity),
            Allocatable = new(facts.Allocatable),
            Addresses = [.. facts.Ips.Select(ip => new NodeAddress { Type = "InternalIP", Address = ip }), new NodeAddress { Type = "Hostname", Address = facts.Name }],
            DaemonEndpoints = new NodeDaemonEndpoints { KubeletEndpoint = new DaemonEndpoint { Port = config.Port } },
            NodeInfo = Info(runtime),
            Images = Images(runtime),
            VolumesInUse = volumesInUse() is { Count: > 0 } inUse ? [.. inUse] : null,
            RuntimeHandlers = runtime.Handlers.Count == 0 ? null : [.. runtime.Handlers.Select(h => new NodeRuntimeHandler
            {
                Name = h.Name,
                Features = new NodeRuntimeHandlerFeatures { RecursiveReadOnlyMounts = h.Features?.RecursiveReadOnlyMounts ?? false, UserNamespaces = h.Features?.UserNamespaces ?? false },
            })],
            Features = new NodeFeatures { SupplementalGroupsPolicy = false },
            Conditions =
            [
                .. Pressures().Select(c => Carry(before, c, now)), Carry(before, Ready(runtime), now),
            ],
        };
    }

    private static NodeCondition Carry(NodeStatus before, NodeCondition condition, DateTimeOffset now)
    {
        var second = Status.ContainerStatuses.Seconds(now);
        var old = before.Conditions?.FirstOrDefault(c => c.Type == condition.Type);
        condition.LastHeartbeatTime = second;
        condition.LastTransitionTime = old?.Status == condition.Status ? old.LastTransitionTime ?? second : second;
        return condition;
    }

    private NodeCondition Ready(RuntimeHealth runtime)
    {
        var problems = new List<string>();
        if (!runtime.RuntimeReady)
            problems.Add("container runtime is down" + (runtime.RuntimeMessage.Length > 0 ? ": " + runtime.RuntimeMessage : ""));
        else if (!runtime.NetworkReady)
            problems.Add($"container runtime network not ready: {runtime.NetworkMessage}");
        if (shutdown() is { } ending)
            problems.Add(ending);
        if (pleg() is { } stale)
            problems.Add("PLEG is not healthy: " + stale);
        return problems.Count == 0
            ? Condition("Ready", true, "KubeletReady", "kubelet is posting ready status")
            : Condition("Ready", false, "KubeletNotReady", string.Join(", ", problems));
    }

    private IEnumerable<NodeCondition> Pressures()
    {
        var on = pressure();
        yield return on.Contains(EvictionSignals.MemoryPressure)
            ? Condition(EvictionSignals.MemoryPressure, true, "KubeletHasInsufficientMemory", "kubelet has insufficient memory available")
            : Condition(EvictionSignals.MemoryPressure, false, "KubeletHasSufficientMemory", "kubelet has sufficient memory available");
        yield return on.Contains(EvictionSignals.DiskPressure)
            ? Condition(EvictionSignals.DiskPressure, true, "KubeletHasDiskPressure", "kubelet has disk pressure")
            : Condition(EvictionSignals.DiskPressure, false, "KubeletHasNoDiskPressure", "kubelet has no disk pressure");
        yield return on.Contains(EvictionSignals.PidPressure)
            ? Condition(EvictionSignals.PidPressure, true, "KubeletHasInsufficientPID", "kubelet has insufficient PID available")
            : Condition(EvictionSignals.PidPressure, false, "KubeletHasSufficientPID", "kubelet has sufficient PID available");
    }

    private NodeSystemInfo Info(RuntimeHealth runtime) => new()
    {
        MachineID = facts.Machine.MachineId,
        SystemUUID = facts.Machine.SystemUuid,
        BootID = facts.Machine.BootId,
        KernelVersion = facts.Machine.KernelVersion,
        OsImage = facts.Machine.OsImage,
        ContainerRuntimeVersion = runtime.Version,
        KubeletVersion = HardwayVersion.GitVersion,
        OperatingSystem = "linux",
        Architecture = facts.Machine.Architecture,
    };

    private List<ContainerImage>? Images(RuntimeHealth runtime)
    {
        if (config.NodeStatusMaxImages == 0 || runtime.Images.Count == 0)
            return null;
        var sorted = runtime.Images.OrderByDescending(i => i.Size).Select(i => new ContainerImage { Names = [.. i.RepoDigests.Concat(i.RepoTags).Take(5)], SizeBytes = (long)i.Size });
        return [.. config.NodeStatusMaxImages < 0 ? sorted : sorted.Take(config.NodeStatusMaxImages)];
    }

    private static Quantity Reserved(IReadOnlyDictionary<string, string> reserved, string name) => reserved.TryGetValue(name, out var text) && Quantity.TryParse(text, out var amount) ? amount : Quantity.Zero;

    private static Quantity Threshold(KubeletConfig config, string signal, Quantity whole) =>
        config.EvictionHard.TryGetValue(signal, out var text) && ThresholdValue.TryParse(text, out var value) ? value.Of(whole) : Quantity.Zero;

    private static NodeCondition Condition(string type, bool status, string reason, string message) => new() { Type = type, Status = status ? "True" : "False", Reason = reason, Message = message };
}
