using System.Net;
using System.Net.Sockets;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Client;
using Microsoft.Extensions.Logging;

namespace Hardway.ControllerManager;

/// <summary>
/// Gives LoadBalancer Services addresses from the pool in the ConfigMap kube-system/load-balancer (key "addresses"), one a family of the Service; the
/// nodes' kube-proxies announce them (docs/decisions/0008). Without the ConfigMap it does nothing, as upstream's without a cloud. The condition
/// <see cref="ConditionType"/> marks what is ours: addresses that somebody else wrote, and Services of another loadBalancerClass, are left alone.
/// One worker, so that no address is given twice. Keys are Services.
/// </summary>
internal sealed partial class ServiceLoadBalancerController : ClusterController
{
    internal const string Map = "load-balancer", MapKey = "addresses", Class = "hardway/layer2", ConditionType = "hardway/Layer2Address";
    private readonly EventRecorder _events;
    private readonly Informer<Service> _services;
    private readonly Informer<ConfigMap> _maps;

    /// <summary>What was written and may not have come back through the informer yet.</summary>
    private readonly Dictionary<string, List<IPAddress>> _written = new(StringComparer.Ordinal);

    private (string Text, AddressPool Pool) _pool = ("", AddressPool.Empty);

    public ServiceLoadBalancerController(ControllerContext context) : base("service-lb-controller", "service-controller", context)
    {
        Workers = 1;
        _events = EventsAs("service-lb-controller");
        _services = Watch<Service>();
        _maps = Watch<ConfigMap>();
        _services.AddHandler(added: s => Queue.Add(KubeKey.Of(s)), updated: Updated, deleted: s => EnqueueWaiting(KubeKey.Of(s)));
        _maps.AddHandler(m =>
        {
            if (m.Metadata is { Namespace: "kube-system", Name: Map }) EnqueueAll();
        });
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_services.Store.Get(key)?.Clone() is not { } service || service.Metadata.DeletionTimestamp is not null)
        {
            _written.Remove(key);
            return;
        }
        var before = service.Status.Clone();
        var ours = Conditions.IsTrue(service.Status.Conditions, ConditionType);
        if (IsWanted(service)) Assign(key, service, ours);
        else if (ours) Withdraw(service);
        if (ApiStruct.DeepEquals(before, service.Status))
        {
            _written.Remove(key);
            return;
        }
        _written[key] = AddressesOf(service);
        await Client.UpdateStatusAsync(service, cancellationToken);
    }

    private static bool IsWanted(Service service) => service.Spec.Type == "LoadBalancer" && service.Spec.LoadBalancerClass is null or "" or Class;

    private void Assign(string key, Service service, bool ours)
    {
        var pool = Pool();
        var had = AddressesOf(service);
        if (pool.IsEmpty || (had.Count > 0 && !ours))
        {
            if (ours) Withdraw(service);
            return;
        }
        var taken = TakenByOthers(key);
        var got = new List<IPAddress>();
        foreach (var family in Families(service).Where(pool.Has))
        {
            var wish = IPAddress.TryParse(service.Spec.LoadBalancerIP, out var wished) && wished.AddressFamily == family ? wished : null;
            var keep = had.Find(a => a.AddressFamily == family && pool.Contains(a) && !taken.Contains(a) && (wish is null || wish.Equals(a)));
            var address = keep ?? (wish is null ? pool.Free(family, taken) : pool.Contains(wish) && !taken.Contains(wish) ? wish : null);
            if (address is not null) got.Add(address);
            else _events.Warning(service, "AllocationFailed", wish is null ? "the pool in kube-system/load-balancer has no free address" : $"{wish} is not in the pool of kube-system/load-balancer or another Service has it");
        }
        if (got.Count == 0)
        {
            if (ours) Withdraw(service);
            return;
        }
        if (!got.SequenceEqual(had)) _events.Normal(service, "IPAllocated", $"assigned {string.Join(", ", got)}");
        service.Status.LoadBalancer.Ingress = got.ConvertAll(a => new LoadBalancerIngress { Ip = a.ToString(), IpMode = "VIP" });
        Conditions.Set(service.Status.Conditions ??= [], ConditionType, "True", "AddressAllocated", "announced by a node of this cluster", Time.GetUtcNow());
    }

    private static void Withdraw(Service service)
    {
        service.Status.LoadBalancer.Ingress = null;
        service.Status.Conditions?.RemoveAll(c => c.Type == ConditionType);
        if (service.Status.Conditions?.Count == 0) service.Status.Conditions = null;
    }

    private static IEnumerable<AddressFamily> Families(Service service) =>
        (service.Spec.IpFamilies is { Count: > 0 } all ? all : ["IPv4"]).Select(f => f == "IPv6" ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork);

    private static List<IPAddress> AddressesOf(Service service) =>
        [.. (service.Status.LoadBalancer.Ingress ?? []).Select(i => IPAddress.TryParse(i.Ip, out var address) ? address : null).OfType<IPAddress>()];

    private HashSet<IPAddress> TakenByOthers(string key) =>
        [.. _services.Store.List().Where(s => KubeKey.Of(s) != key).SelectMany(AddressesOf), .. _written.Where(w => w.Key != key).SelectMany(w => w.Value)];

    private AddressPool Pool()
    {
        var text = _maps.Store.Get("kube-system", Map)?.Data?.GetValueOrDefault(MapKey) ?? "";
        if (text == _pool.Text) return _pool.Pool;
        _pool = (text, AddressPool.Parse(text, out var wrong));
        if (wrong.Count > 0) LogWrong(Log, Map, string.Join(", ", wrong));
        return _pool.Pool;
    }

    /// <summary>The API server itself takes the addresses of a Service that is no LoadBalancer any more.</summary>
    private void Updated(Service old, Service service)
    {
        if (AddressesOf(old).Except(AddressesOf(service)).Any()) EnqueueWaiting(KubeKey.Of(service));
        else Queue.Add(KubeKey.Of(service));
    }

    /// <summary>An address became free: those that have none are tried again.</summary>
    private void EnqueueWaiting(string key)
    {
        Queue.Add(key);
        foreach (var service in _services.Store.List().Where(s => IsWanted(s) && s.Status.LoadBalancer.Ingress is not { Count: > 0 })) Queue.Add(KubeKey.Of(service));
    }

    private void EnqueueAll()
    {
        foreach (var key in _services.Store.Keys()) Queue.Add(key);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "ConfigMap kube-system/{Map}: these are no addresses, ranges or networks: {Words}")]
    private static partial void LogWrong(ILogger logger, string map, string words);
}
