using System.Net;
using Hardway.Api;
using Hardway.Api.Meta.V1;
using Hardway.Api.Networking.V1;
using Hardway.Client;
using IPAddress = Hardway.Api.Networking.V1.IPAddress;

namespace Hardway.ControllerManager;

/// <summary>
/// Keeps a ServiceCIDR as long as addresses of Services come from it alone (KEP-1880): a finalizer and the condition Ready. One that is being deleted is
/// let go when every address in it lies in another range as well, after a while in which the API servers learn not to use it. Keys are ServiceCIDRs.
/// </summary>
internal sealed class ServiceCIDRController : ClusterController
{
    internal const string Finalizer = "networking.k8s.io/service-cidr-finalizer";
    private static readonly TimeSpan _grace = TimeSpan.FromSeconds(10);
    private readonly EventRecorder _events;
    private readonly Informer<ServiceCIDR> _ranges;
    private readonly Informer<IPAddress> _addresses;

    public ServiceCIDRController(ControllerContext context) : base("service-cidr-controller", "service-cidrs-controller", context)
    {
        Workers = 1;
        _events = EventsAs("service-cidr-controller");
        _ranges = Watch<ServiceCIDR>();
        _addresses = Watch<IPAddress>();
        // A range that comes or goes changes what the others are needed for.
        _ranges.AddHandler(_ => EnqueueAll());
        _addresses.AddHandler(deleted: _ => EnqueueAll());
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_ranges.Store.Get(key)?.Clone() is not { } range) return;
        if (range.Metadata.DeletionTimestamp is not { } deleted)
        {
            if (await KeepAsync(range, cancellationToken) || Conditions.IsTrue(range.Status.Conditions, "Ready")) return;
            await SetReadyAsync(range, "True", "", "the range is in use for Services", cancellationToken);
            return;
        }
        if (range.Metadata.Finalizers?.Contains(Finalizer) != true) return;
        if (Needed(range) is { } address)
        {
            await SetReadyAsync(range, "False", "Terminating", "addresses of the range are still in use: remove them or add a range that has them", cancellationToken);
            _events.Warning(range, "Terminating", $"address {address} is in no other ServiceCIDR");
            return;
        }
        await SetReadyAsync(range, "False", "Terminating", "no address needs the range", cancellationToken);
        var left = deleted + _grace - Time.GetUtcNow();
        if (left > TimeSpan.Zero)
        {
            Queue.AddAfter(key, left);
            return;
        }
        var live = await Client.TryGetAsync<ServiceCIDR>(null, key, cancellationToken);
        if (live?.Metadata.Finalizers?.Remove(Finalizer) == true) await Client.UpdateAsync(live, cancellationToken);
    }

    /// <summary>True: the finalizer was missing and is there now; the change brings the next look.</summary>
    private async Task<bool> KeepAsync(ServiceCIDR range, CancellationToken ct)
    {
        if (range.Metadata.Finalizers?.Contains(Finalizer) == true) return false;
        (range.Metadata.Finalizers ??= []).Add(Finalizer);
        await Client.UpdateAsync(range, ct);
        return true;
    }

    /// <summary>An address that is in this range and in no other that stays, or null.</summary>
    private string? Needed(ServiceCIDR range)
    {
        var mine = Networks(range);
        var others = _ranges.Store.List().Where(r => r.Metadata.Name != range.Metadata.Name && r.Metadata.DeletionTimestamp is null).SelectMany(Networks).ToList();
        foreach (var address in _addresses.Store.List())
        {
            if (System.Net.IPAddress.TryParse(address.Metadata.Name, out var ip) && mine.Exists(n => n.Contains(ip)) && !others.Exists(n => n.Contains(ip))) return address.Metadata.Name;
        }
        return null;
    }

    private static List<IPNetwork> Networks(ServiceCIDR range) => [.. (range.Spec.Cidrs ?? []).Where(c => IPNetwork.TryParse(c, out _)).Select(c => IPNetwork.Parse(c))];

    private async Task SetReadyAsync(ServiceCIDR range, string status, string reason, string message, CancellationToken ct)
    {
        var before = range.Status.Clone();
        Conditions.Set(range.Status.Conditions ??= [], "Ready", status, reason, message, Time.GetUtcNow());
        if (!ApiStruct.DeepEquals(before, range.Status)) await Client.UpdateStatusAsync(range, ct);
    }

    private void EnqueueAll()
    {
        foreach (var key in _ranges.Store.Keys()) Queue.Add(key);
    }
}
