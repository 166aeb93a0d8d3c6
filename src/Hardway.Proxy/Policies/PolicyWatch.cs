using Hardway.Api.Core.V1;
using Hardway.Api.Networking.V1;
using Hardway.Client;
using Microsoft.Extensions.Logging;

namespace Hardway.Proxy.Policies;

/// <summary>
/// What policies need of the cluster: NetworkPolicies, and from the first of them on all Pods and namespaces (a cluster without policies pays for
/// none of that). Handlers only mark and signal; <see cref="Apply"/> is called by the one sync loop.
/// </summary>
internal sealed class PolicyWatch
{
    private readonly Informer<NetworkPolicy> _policies;
    private readonly Informer<Pod> _pods;
    private readonly Informer<Namespace> _namespaces;
    private readonly TaskCompletionSource _needed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private readonly string _node;
    private readonly Action _signal;
    private Func<string, IReadOnlyList<System.Net.IPAddress>>? _known;
    private HashSet<string> _dirtyPolicies = new(StringComparer.Ordinal);
    private HashSet<string> _dirtyPods = new(StringComparer.Ordinal);
    private HashSet<string> _dirtyNamespaces = new(StringComparer.Ordinal);

    public PolicyWatch(KubeClient client, ILoggerFactory logs, string node, Action signal)
    {
        (_node, _signal) = (node, signal);
        var options = new InformerOptions { MaxBackoff = TimeSpan.FromMinutes(1) };
        _policies = new(client, logs, options);
        _pods = new(client, logs, options with { Trim = Trim });
        _namespaces = new(client, logs, options);
        _policies.AddHandler(policy =>
        {
            _needed.TrySetResult();
            Mark(_ => _dirtyPolicies, KubeKey.Of(policy));
        });
        _pods.AddHandler(pod => Mark(_ => _dirtyPods, KubeKey.Of(pod)));
        _namespaces.AddHandler(@namespace => Mark(_ => _dirtyNamespaces, KubeKey.Of(@namespace)));
    }

    /// <summary>A Pod's addresses on this node changed, as somebody else than the API knows.</summary>
    public void PodChanged(string key) => Mark(_ => _dirtyPods, key);

    /// <summary>Who else knows addresses of this node's Pods.</summary>
    public void UseAddresses(Func<string, IReadOnlyList<System.Net.IPAddress>> known) => _known = known;

    public Task RunAsync(CancellationToken cancel) => Task.WhenAll(_policies.RunAsync(cancel), RunOthersAsync(cancel));

    /// <summary>Returns once there is a policy and everything that it may speak of is known; before that nothing is to be done.</summary>
    public async Task WaitForSyncAsync(CancellationToken cancel)
    {
        await _policies.WaitForSyncAsync(cancel).ConfigureAwait(false);
        await _needed.Task.WaitAsync(cancel).ConfigureAwait(false);
        await Task.WhenAll(_pods.WaitForSyncAsync(cancel), _namespaces.WaitForSyncAsync(cancel)).ConfigureAwait(false);
    }

    /// <summary>Returns once it is known whether there are policies: true when there is none.</summary>
    public async Task<bool> HasNoneAsync(CancellationToken cancel)
    {
        await _policies.WaitForSyncAsync(cancel).ConfigureAwait(false);
        return !_needed.Task.IsCompleted;
    }

    /// <summary>Hands what changed to the index.</summary>
    public void Apply(PolicyIndex index)
    {
        HashSet<string> policies, pods, namespaces;
        lock (_lock)
        {
            (policies, _dirtyPolicies) = (_dirtyPolicies, new(StringComparer.Ordinal));
            (pods, _dirtyPods) = (_dirtyPods, new(StringComparer.Ordinal));
            (namespaces, _dirtyNamespaces) = (_dirtyNamespaces, new(StringComparer.Ordinal));
        }

        foreach (var name in namespaces)
        {
            index.SetNamespace(name, _namespaces.Store.Get(name) is { } found ? found.Metadata.Labels ?? [] : null);
        }

        foreach (var key in pods)
        {
            index.SetPod(key, _pods.Store.Get(key) is { } pod ? PodFacts.Of(pod, _node, _known) : null);
        }

        foreach (var key in policies)
        {
            var slash = key.IndexOf('/', StringComparison.Ordinal);
            index.SetPolicy(key[..slash], key[(slash + 1)..], _policies.Store.Get(key) is { } policy ? PolicyCompiler.Compile(policy) : null);
        }
    }

    private async Task RunOthersAsync(CancellationToken cancel)
    {
        await _needed.Task.WaitAsync(cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!cancel.IsCancellationRequested)
        {
            await Task.WhenAll(_pods.RunAsync(cancel), _namespaces.RunAsync(cancel)).ConfigureAwait(false);
        }
    }

    private void Mark(Func<PolicyWatch, HashSet<string>> dirty, string key)
    {
        lock (_lock)
        {
            dirty(this).Add(key);
        }

        _signal();
    }

    /// <summary>Leaves of a Pod what <see cref="PodFacts"/> reads: every node keeps every Pod.</summary>
    private static void Trim(Api.KubeObject obj)
    {
        var pod = (Pod)obj;
        pod.Metadata.Annotations = null;
        pod.Metadata.OwnerReferences = null;
        pod.Metadata.Finalizers = null;
        pod.Spec = new PodSpec
        {
            NodeName = pod.Spec.NodeName,
            HostNetwork = pod.Spec.HostNetwork,
            InitContainers = pod.Spec.InitContainers?.FindAll(c => c.RestartPolicy == "Always").ConvertAll(Trimmed),
            Containers = pod.Spec.Containers?.ConvertAll(Trimmed),
        };
        pod.Status = new PodStatus { Phase = pod.Status.Phase, PodIP = pod.Status.PodIP, PodIPs = pod.Status.PodIPs };
    }

    private static Container Trimmed(Container container) => new() { Name = container.Name, Ports = container.Ports, RestartPolicy = container.RestartPolicy };
}
