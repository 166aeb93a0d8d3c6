using System.Threading.Channels;
using Hardway.Api;
using Hardway.Api.Coordination.V1;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;
using Hardway.Grpc;
using Hardway.Kubelet.Configuration;
using Hardway.Kubelet.Cri;
using Microsoft.Extensions.Logging;

namespace Hardway.Kubelet.Nodes;

/// <summary>
/// Registers this node and keeps the API told of it: a status whenever it changed (or after the report period), and a Lease every
/// quarter of its duration. A failing API server is tried again at the next tick; nothing else waits for it.
/// </summary>
internal sealed partial class NodeReporter(
    KubeClient client, RuntimeClient runtime, NodeStatusBuilder builder, NodeFacts facts, KubeletConfig config, IReadOnlyDictionary<string, string> labels,
    IReadOnlyList<Taint> taints, ILogger log)
{
    private const string LeaseNamespace = "kube-node-lease";
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(10), FirstRetry = TimeSpan.FromMilliseconds(200), MostRetry = TimeSpan.FromSeconds(5), UntilReady = TimeSpan.FromMilliseconds(500);

    private DateTimeOffset _reported;
    private Lease? _lease;
    private string _nodeUid = "", _podCidr = "";
    private bool _wasReady;

    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>The node's conditions have changed: they are told at once. Any thread.</summary>
    public void ReportSoon() => _wake.Writer.TryWrite(true);

    /// <summary>Null while the runtime answers and its network is ready.</summary>
    public string? RuntimeProblem { get; private set; } = "not asked yet";

    public async Task RunAsync(CancellationToken stop)
    {
        await RegisterAsync(stop);
        await Task.WhenAll(LoopAsync("node status", () => PauseAsync(stop), ReportAsync, stop), LoopAsync("node lease", () => Task.Delay(TimeSpan.FromSeconds(config.NodeLeaseDurationSeconds / 4d), client.Time, stop), RenewAsync, stop));
    }

    private async Task RegisterAsync(CancellationToken stop)
    {
        var pause = FirstRetry;
        while (true)
        {
            try
            {
                await TryRegisterAsync(stop);
                return;
            }
            catch (Exception e) when (!stop.IsCancellationRequested && e is ApiException or HttpRequestException or IOException or OperationCanceledException)
            {
                LogNotRegistered(log, facts.Name, e.Message);
                await Task.Delay(pause, client.Time, stop);
                pause = pause * 2 < MostRetry ? pause * 2 : MostRetry;
            }
        }
    }

    private async Task TryRegisterAsync(CancellationToken stop)
    {
        var health = await HealthAsync(stop);
        var node = new Node();
        node.Metadata.Name = facts.Name;
        node.Metadata.Labels = new Dictionary<string, string>(labels, StringComparer.Ordinal);
        node.Spec.ProviderID = config.ProviderId;
        if (taints.Count > 0)
            node.Spec.Taints = [.. taints];
        node.Status = builder.Build(new NodeStatus(), health);
        using var limit = Limit(stop);
        try
        {
            var created = config.RegisterNode ? await client.CreateAsync(node, limit.Token) : await client.GetAsync<Node>(null, facts.Name, limit.Token);
            _nodeUid = created.Metadata.Uid;
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            var present = await client.GetAsync<Node>(null, facts.Name, limit.Token);
            _nodeUid = present.Metadata.Uid;
            await BringLabelsAsync(present, limit.Token);
        }
        LogRegistered(log, facts.Name);
    }

    private async Task BringLabelsAsync(Node present, CancellationToken stop)
    {
        var missing = labels.Where(l => present.Metadata.Labels?.GetValueOrDefault(l.Key) != l.Value).ToDictionary(l => l.Key, l => (object?)l.Value);
        if (missing.Count == 0)
            return;
        var patch = new Dictionary<string, object?> { ["metadata"] = new Dictionary<string, object?> { ["labels"] = missing } };
        await client.PatchAsync<Node>(null, facts.Name, PatchType.Merge, ApiJson.SerializeTree(patch), stop);
    }

    /// <summary>Until the node has been told ready for the first time, a short while; or until something has changed.</summary>
    private async Task PauseAsync(CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(_wasReady ? config.NodeStatusUpdateFrequency : UntilReady, client.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop, limit.Token);
        try
        {
            await _wake.Reader.ReadAsync(both.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // It is time anyway.
        }
    }

    private async Task LoopAsync(string what, Func<Task> pause, Func<CancellationToken, Task> once, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                using var limit = Limit(stop);
                await once(limit.Token);
            }
            catch (Exception e) when (!stop.IsCancellationRequested && e is ApiException or HttpRequestException or IOException or OperationCanceledException or GrpcException)
            {
                LogFailed(log, what, e.Message);
            }
            await pause();
        }
    }

    private async Task ReportAsync(CancellationToken stop)
    {
        var health = await HealthAsync(stop);
        var node = await client.TryGetAsync<Node>(null, facts.Name, stop);
        if (node == null)
        {
            await TryRegisterAsync(stop);
            return;
        }
        await BringPodCidrAsync(node.Spec.PodCIDR, stop);
        var status = builder.Build(node.Status, health);
        _wasReady |= status.Conditions?.Exists(c => c is { Type: "Ready", Status: "True" }) == true;
        var now = client.Time.GetUtcNow();
        if (NodeStatusPatch.Create(node.Status, status, now - _reported >= config.NodeStatusReportFrequency) is not { } patch)
            return;
        await client.PatchAsync<Node>(null, facts.Name, PatchType.StrategicMerge, patch, stop, "status");
        _reported = now;
    }

    /// <summary>Runtimes that make their own network configuration want to know the node's range of Pod addresses.</summary>
    private async Task BringPodCidrAsync(string podCidr, CancellationToken stop)
    {
        if (podCidr.Length == 0 || podCidr == _podCidr)
            return;
        await runtime.UpdatePodCidrAsync(podCidr, stop);
        _podCidr = podCidr;
    }

    private async Task<RuntimeHealth> HealthAsync(CancellationToken stop)
    {
        try
        {
            var version = await runtime.VersionAsync(stop);
            var status = await runtime.StatusAsync(stop);
            var ready = Condition(status, "RuntimeReady");
            var network = Condition(status, "NetworkReady");
            RuntimeProblem = ready.Ready ? null : ready.Message;
            return new RuntimeHealth($"{version.RuntimeName}://{version.RuntimeVersion}", ready.Ready, ready.Message, network.Ready, network.Message, await runtime.ListImagesAsync(stop), status.RuntimeHandlers);
        }
        catch (GrpcException e)
        {
            RuntimeProblem = e.Detail;
            return new RuntimeHealth("", false, e.Detail, false, e.Detail, [], []);
        }
    }

    private static (bool Ready, string Message) Condition(StatusResponse status, string type)
    {
        var condition = status.Status.Conditions.FirstOrDefault(c => c.Type == type);
        return condition == null ? (false, $"{type} is not reported") : (condition.Status, $"{type}={(condition.Status ? "true" : "false")} reason:{condition.Reason} message:{condition.Message}");
    }

    private async Task RenewAsync(CancellationToken stop)
    {
        var now = client.Time.GetUtcNow();
        try
        {
            if (_lease == null)
            {
                _lease = await client.TryGetAsync<Lease>(LeaseNamespace, facts.Name, stop) ?? await client.CreateAsync(NewLease(now), stop);
                if (_lease.Spec.HolderIdentity == facts.Name && _lease.Spec.RenewTime == now)
                    return;
            }
            var next = (Lease)_lease.DeepClone();
            next.Spec.HolderIdentity = facts.Name;
            next.Spec.LeaseDurationSeconds = config.NodeLeaseDurationSeconds;
            next.Spec.RenewTime = now;
            _lease = await client.UpdateAsync(next, stop);
        }
        catch (ApiException e) when (e.IsConflict || e.IsNotFound)
        {
            // Somebody changed or deleted it: read it again next time.
            _lease = null;
            throw;
        }
    }

    private Lease NewLease(DateTimeOffset now)
    {
        var lease = new Lease();
        (lease.Metadata.Namespace, lease.Metadata.Name) = (LeaseNamespace, facts.Name);
        if (_nodeUid.Length > 0)
            lease.Metadata.OwnerReferences = [new OwnerReference { ApiVersion = "v1", Kind = "Node", Name = facts.Name, Uid = _nodeUid }];
        lease.Spec.HolderIdentity = facts.Name;
        lease.Spec.LeaseDurationSeconds = config.NodeLeaseDurationSeconds;
        lease.Spec.RenewTime = now;
        return lease;
    }

    private CancellationTokenSource Limit(CancellationToken stop)
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(RequestTimeout);
        return limit;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Node {Node} is registered")]
    private static partial void LogRegistered(ILogger log, string node);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Node {Node} could not be registered, will be tried again: {Reason}")]
    private static partial void LogNotRegistered(ILogger log, string node, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The {What} could not be told: {Reason}")]
    private static partial void LogFailed(ILogger log, string what, string reason);
}
