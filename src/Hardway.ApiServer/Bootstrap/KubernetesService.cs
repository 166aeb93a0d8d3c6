using System.Net;
using Hardway.Api.Core.V1;
using Hardway.Api.Discovery.V1;
using Hardway.Api.Meta.V1;
using Hardway.Api.Networking.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Serving;
using Hardway.Storage;
using Hardway.Storage.Leases;
using Microsoft.Extensions.Logging;
using IPAddress = System.Net.IPAddress;

namespace Hardway.ApiServer.Bootstrap;

/// <summary>
/// Keeps the kubernetes Service, its Endpoints and its EndpointSlice: their addresses are those of the API servers that live. Each server
/// has a lease in the store; a dead one's address leaves when its lease ends, one that stops cleanly leaves at once.
/// </summary>
internal sealed partial class KubernetesService(ApiServices services, IStore store, IPAddress address, IPAddress clusterIp)
{
    private const string Ns = "default";
    private const string Name = "kubernetes";
    private readonly ServerLeases _leases = new(store, address);
    private readonly ILogger _log = services.Logs.CreateLogger("kubernetes-service");

    private int Port => services.Options.SecurePort;

    public async Task EnsureAsync(CancellationToken cancellationToken)
    {
        await EnsureRangesAsync(cancellationToken).ConfigureAwait(false);
        await MarkReadyAsync(cancellationToken).ConfigureAwait(false);
        if (services.Reader.Get<Service>(Ns, Name) is null)
        {
            await IgnoreExisting(services.Writer.CreateAsync(NewService(), cancellationToken)).ConfigureAwait(false);
        }

        await TryReconcileAsync(cancellationToken).ConfigureAwait(false);
    }

    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await Task.Delay(ServerLeases.RenewInterval, services.Time, stop).ConfigureAwait(false);
                await TryReconcileAsync(stop).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await LeaveAsync().ConfigureAwait(false);
        }
    }

    private async Task LeaveAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5), services.Time);
        try
        {
            await _leases.RemoveAsync(limit.Token).ConfigureAwait(false);
            await WriteAsync(await _leases.ListAsync(limit.Token).ConfigureAwait(false), limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is StoreException or ApiException or OperationCanceledException)
        {
            LogFailed(_log, e.Message);
        }
    }

    /// <summary>What fails now is tried again at the next turn.</summary>
    private async Task TryReconcileAsync(CancellationToken cancellationToken)
    {
        try
        {
            await ReconcileAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is StoreException or ApiException)
        {
            LogFailed(_log, e.Message);
        }
    }

    private async Task ReconcileAsync(CancellationToken cancellationToken)
    {
        await _leases.RenewAsync(cancellationToken).ConfigureAwait(false);
        await WriteAsync(await _leases.ListAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
    }

    private async Task WriteAsync(IReadOnlyList<string> addresses, CancellationToken cancellationToken)
    {
        var sorted = addresses.Order(StringComparer.Ordinal).ToList();
        if (sorted.Count == 0)
        {
            return;
        }

        await WriteEndpointsAsync(sorted, cancellationToken).ConfigureAwait(false);
        await WriteSliceAsync(sorted, cancellationToken).ConfigureAwait(false);
    }

    private async Task WriteEndpointsAsync(List<string> addresses, CancellationToken cancellationToken)
    {
        var wanted = new Endpoints
        {
            Metadata = { Name = Name, Namespace = Ns, Labels = new(StringComparer.Ordinal) { ["endpointslice.kubernetes.io/skip-mirror"] = "true" } },
            Subsets = [new EndpointSubset { Addresses = addresses.ConvertAll(a => new EndpointAddress { Ip = a }), Ports = [new Hardway.Api.Core.V1.EndpointPort { Name = "https", Port = Port, Protocol = "TCP" }] }],
        };
        if (services.Reader.Get<Endpoints>(Ns, Name) is null)
        {
            await IgnoreExisting(services.Writer.CreateAsync(wanted, cancellationToken)).ConfigureAwait(false);
            return;
        }

        await services.Writer.UpdateAsync<Endpoints>(Ns, Name, current =>
        {
            var now = (current.Subsets ?? []).SelectMany(s => s.Addresses ?? []).Select(a => a.Ip).Order(StringComparer.Ordinal);
            if (now.SequenceEqual(addresses) && current.Subsets is [{ Ports: [{ } port] }] && port.Port == Port)
            {
                return null;
            }

            current.Subsets = wanted.Subsets;
            return current;
        }, cancellationToken).ConfigureAwait(false);
    }

    private async Task WriteSliceAsync(List<string> addresses, CancellationToken cancellationToken)
    {
        var wanted = new EndpointSlice
        {
            Metadata = { Name = Name, Namespace = Ns, Labels = new(StringComparer.Ordinal) { ["kubernetes.io/service-name"] = Name } },
            AddressType = address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? "IPv4" : "IPv6",
            Endpoints = addresses.ConvertAll(a => new Endpoint { Addresses = [a], Conditions = { Ready = true } }),
            Ports = [new Hardway.Api.Discovery.V1.EndpointPort { Name = "https", Port = Port, Protocol = "TCP" }],
        };
        if (services.Reader.Get<EndpointSlice>(Ns, Name) is null)
        {
            await IgnoreExisting(services.Writer.CreateAsync(wanted, cancellationToken)).ConfigureAwait(false);
            return;
        }

        await services.Writer.UpdateAsync<EndpointSlice>(Ns, Name, current =>
        {
            var now = (current.Endpoints ?? []).SelectMany(e => e.Addresses ?? []).Order(StringComparer.Ordinal);
            if (now.SequenceEqual(addresses) && current.Ports is [{ } port] && port.Port == Port)
            {
                return null;
            }

            current.Endpoints = wanted.Endpoints;
            current.Ports = wanted.Ports;
            return current;
        }, cancellationToken).ConfigureAwait(false);
    }

    private Service NewService() => new()
    {
        Metadata = { Name = Name, Namespace = Ns, Labels = new(StringComparer.Ordinal) { ["component"] = "apiserver", ["provider"] = "kubernetes" } },
        Spec =
        {
            ClusterIP = clusterIp.ToString(),
            Type = "ClusterIP",
            SessionAffinity = "None",
            Ports = [new ServicePort { Name = "https", Port = 443, Protocol = "TCP", TargetPort = Port }],
        },
    };

    /// <summary>A cluster that gets a second range adds it to its ServiceCIDR. Other differences stay: its servers are not restarted all at once.</summary>
    private async Task EnsureRangesAsync(CancellationToken cancellationToken)
    {
        List<string> wanted = [.. services.Options.ServiceRanges.Select(r => r.ToString())];
        if (services.Reader.Get<ServiceCIDR>("", Name) is not { } there)
        {
            await IgnoreExisting(services.Writer.CreateAsync(new ServiceCIDR { Metadata = { Name = Name }, Spec = { Cidrs = wanted } }, cancellationToken)).ConfigureAwait(false);
        }
        else if (AddsSecond(there))
        {
            await services.Writer.UpdateAsync<ServiceCIDR>("", Name, current =>
            {
                current.Spec.Cidrs = AddsSecond(current) ? wanted : current.Spec.Cidrs;
                return current;
            }, cancellationToken).ConfigureAwait(false);
        }
        else if (!(there.Spec.Cidrs ?? []).SequenceEqual(wanted))
        {
            LogOtherRanges(_log, string.Join(",", there.Spec.Cidrs ?? []), string.Join(",", wanted));
        }

        bool AddsSecond(ServiceCIDR value) => value.Spec.Cidrs is [var only] && wanted.Count == 2 && only == wanted[0];
    }

    private async Task MarkReadyAsync(CancellationToken cancellationToken)
    {
        try
        {
            await services.Writer.UpdateStatusAsync<ServiceCIDR>("", Name, current =>
            {
                if (current.Status.Conditions?.Exists(c => c is { Type: "Ready", Status: "True" }) == true)
                {
                    return null;
                }

                current.Status.Conditions =
                    [new Condition { Type = "Ready", Status = "True", Message = "Kubernetes Service CIDR is ready", LastTransitionTime = Registry.CreatePipeline.Seconds(services.Time.GetUtcNow()) }];
                return current;
            }, cancellationToken).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsConflict)
        {
            // Another server does the same.
        }
    }

    private static async Task IgnoreExisting<T>(Task<T> create)
    {
        try
        {
            await create.ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            // Another server was faster.
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The ServiceCIDR kubernetes has {Present}, this server gives out addresses of {Ranges}")]
    private static partial void LogOtherRanges(ILogger logger, string present, string ranges);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The kubernetes Service's endpoints could not be brought up to date: {Reason}")]
    private static partial void LogFailed(ILogger logger, string reason);
}
