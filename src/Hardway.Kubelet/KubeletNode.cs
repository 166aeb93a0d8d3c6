using Hardway.Api.Core.V1;
using Hardway.Client;
using Hardway.Grpc;
using Hardway.Hosting;
using Hardway.Kubelet.Configuration;
using Hardway.Kubelet.Cri;
using Hardway.Kubelet.Nodes;
using Hardway.Kubelet.Stats;
using Hardway.Linux.Machine;
using Microsoft.Extensions.Logging;

namespace Hardway.Kubelet;

/// <summary>
/// Runs the kubelet in order: 1. the runtime answers, 2. the node's facts are known, 3. all parts are put together and run as stages.
/// On the way out only the kubelet ends; containers stay.
/// </summary>
internal sealed partial class KubeletNode(KubeletOptions options, KubeletConfig config, ILoggerFactory logs, TimeProvider time)
{
    private static readonly TimeSpan RuntimeRetry = TimeSpan.FromSeconds(1);
    private readonly ILogger _log = logs.CreateLogger("Kubelet");

    public async Task RunAsync(CancellationToken stop)
    {
        foreach (var field in config.Ignored)
            LogIgnored(_log, field);
        var machine = MachineInfo.Read();
        if (config.FailSwapOn && machine.SwapBytes > 0)
            throw new ComponentException("swap is on and failSwapOn is true: turn swap off (swapoff -a) or set failSwapOn: false");
        MakeDirectories();
        // 1.
        using var runtimeChannel = GrpcChannel.ForAddress(config.ContainerRuntimeEndpoint);
        using var imageChannel = GrpcChannel.ForAddress(config.ImageServiceEndpoint.Length > 0 ? config.ImageServiceEndpoint : config.ContainerRuntimeEndpoint);
        var registry = new Metrics();
        var metrics = new KubeletMetrics(registry, Name());
        var runtime = new RuntimeClient(runtimeChannel, imageChannel, config.RuntimeRequestTimeout, metrics);
        var runtimeName = await AwaitRuntimeAsync(runtime, stop);
        // 2.
        var kubeConfig = options.KubeConfig.Length > 0 ? KubeConfig.Load(options.KubeConfig) : null;
        using var client = kubeConfig == null ? null : new KubeClient(kubeConfig, "kubelet", time);
        var facts = Facts(machine, kubeConfig?.Server, runtimeName);
        LogNode(_log, facts.Name, string.Join(',', facts.Ips));
        // 3.
        using var parts = new KubeletParts(options, config, facts, runtime, client, registry, metrics, logs, time);
        await parts.Stages(Labels(facts), Taints()).RunAsync(stop);
    }

    private void MakeDirectories()
    {
        Directory.CreateDirectory(options.RootDirectory, (UnixFileMode)0x1E8);
        Directory.CreateDirectory(options.RootDirectory + "/pods", (UnixFileMode)0x1E8);
        Directory.CreateDirectory(config.PodLogsDir);
        Directory.CreateDirectory(Logs.LogPaths.LinkDirectory);
    }

    private async Task<string> AwaitRuntimeAsync(RuntimeClient runtime, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                var version = await runtime.VersionAsync(stop);
                LogRuntime(_log, version.RuntimeName, version.RuntimeVersion, version.RuntimeApiVersion);
                return $"{version.RuntimeName} {version.RuntimeVersion}";
            }
            catch (GrpcException e)
            {
                LogNoRuntime(_log, config.ContainerRuntimeEndpoint, e.Detail);
                await Task.Delay(RuntimeRetry, time, stop);
            }
        }
    }

    private string Name() => (options.HostnameOverride.Length > 0 ? options.HostnameOverride : System.Net.Dns.GetHostName().Split('.')[0]).Trim().ToLowerInvariant();

    private NodeFacts Facts(MachineInfo machine, Uri? server, string runtime)
    {
        var capacity = NodeStatusBuilder.Capacity(machine, config, options.RootDirectory);
        try
        {
            return new NodeFacts(Name(), NodeAddresses.Find(options.NodeIp, server), machine, capacity, NodeStatusBuilder.Allocatable(capacity, config), runtime);
        }
        catch (FormatException e)
        {
            throw new ComponentException(e.Message, e);
        }
    }

    private Dictionary<string, string> Labels(NodeFacts facts) => new(options.NodeLabels, StringComparer.Ordinal)
    {
        ["kubernetes.io/hostname"] = facts.Name,
        ["kubernetes.io/os"] = "linux",
        ["kubernetes.io/arch"] = facts.Machine.Architecture,
        ["beta.kubernetes.io/os"] = "linux",
        ["beta.kubernetes.io/arch"] = facts.Machine.Architecture,
    };

    private List<Taint> Taints()
    {
        var taints = config.RegisterWithTaints.Select(t => new Taint { Key = t.Key, Value = t.Value, Effect = t.Effect }).ToList();
        foreach (var text in options.RegisterWithTaints)
        {
            var colon = text.LastIndexOf(':');
            var pair = colon < 0 ? [] : text[..colon].Split('=', 2);
            if (colon < 0 || pair[0].Length == 0)
                throw new ComponentException($"--register-with-taints: '{text}' is not key=value:effect");
            taints.Add(new Taint { Key = pair[0], Value = pair.Length > 1 ? pair[1] : "", Effect = text[(colon + 1)..] });
        }
        return taints;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The configuration's {Field} is accepted and has no effect here")]
    private static partial void LogIgnored(ILogger log, string field);

    [LoggerMessage(Level = LogLevel.Information, Message = "Runtime {Name} {Version} answers, CRI {ApiVersion}")]
    private static partial void LogRuntime(ILogger log, string name, string version, string apiVersion);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The container runtime at {Endpoint} does not answer, is tried again: {Reason}")]
    private static partial void LogNoRuntime(ILogger log, string endpoint, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "This is node {Node} at {Addresses}")]
    private static partial void LogNode(ILogger log, string node, string addresses);
}
