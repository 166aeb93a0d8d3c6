using System.Net;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Allocation;

/// <summary>What a Service is given before it is stored: an address of each of its IP families, its node ports, the fields that follow from them.</summary>
internal sealed class ServiceAllocator(ServiceRanges ranges, NodePortAllocator ports) : IAllocator
{
    private const string None = "None";
    private const int ExamplePort = 32768;

    public bool Handles(ResourceRegistry registry) => registry is { Group: "", Resource: "services" };

    public static IEnumerable<int> NodePorts(Service service) =>
        (service.Spec.Ports ?? []).Select(p => p.NodePort).Append(service.Spec.HealthCheckNodePort).Where(p => p > 0);

    public async ValueTask<Allocation> OnCreateAsync(KubeObject value, RuleContext context, CancellationToken cancellationToken)
    {
        var taken = new Taken(ranges, ports, context.DryRun);
        try
        {
            await AllocateAsync((Service)value, null, context, taken, cancellationToken).ConfigureAwait(false);
            return new Allocation(taken.GiveBackAsync);
        }
        catch
        {
            await taken.GiveBackAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask<Allocation> OnUpdateAsync(KubeObject value, KubeObject old, RuleContext context, CancellationToken cancellationToken)
    {
        if (context.Subresource.Length > 0)
        {
            return Allocation.None;
        }

        var (now, before) = ((Service)value, (Service)old);
        var taken = new Taken(ranges, ports, context.DryRun);
        try
        {
            await AllocateAsync(now, before, context, taken, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await taken.GiveBackAsync().ConfigureAwait(false);
            throw;
        }

        var gone = context.DryRun ? [] : NodePorts(before).Except(NodePorts(now)).ToList();
        var lost = context.DryRun ? [] : Addresses(before).Except(Addresses(now)).ToList();
        return new Allocation(taken.GiveBackAsync, async () =>
        {
            await ports.GiveBackAsync(gone, CancellationToken.None).ConfigureAwait(false);
            foreach (var address in lost)
            {
                await ranges.Primary.GiveBackAsync(address, CancellationToken.None).ConfigureAwait(false);
            }
        });
    }

    public async ValueTask OnDeleteAsync(KubeObject value, CancellationToken cancellationToken)
    {
        var service = (Service)value;
        await ports.GiveBackAsync([.. NodePorts(service)], cancellationToken).ConfigureAwait(false);
        foreach (var address in Addresses(service))
        {
            await ranges.Primary.GiveBackAsync(address, cancellationToken).ConfigureAwait(false);
        }
    }

    private static IEnumerable<string> Addresses(Service service) =>
        (service.Spec.ClusterIPs ?? []).Append(service.Spec.ClusterIP).Where(a => a.Length > 0 && a != None).Distinct();

    private async ValueTask AllocateAsync(Service service, Service? old, RuleContext context, Taken taken, CancellationToken cancellationToken)
    {
        var spec = service.Spec;
        if (spec.Type == "ExternalName")
        {
            if (old is not null && spec.ClusterIP == old.Spec.ClusterIP)
            {
                spec.ClusterIP = "";
                spec.ClusterIPs = null;
                spec.IpFamilies = null;
                spec.IpFamilyPolicy = null;
            }

            return;
        }

        var errors = new ErrorList();
        Align(spec, old?.Spec);
        ServiceFamilies.Settle(spec, old?.Spec, ranges.Families, errors);
        Throw(service, errors);
        await AddressesAsync(service, old, context, taken, errors, cancellationToken).ConfigureAwait(false);
        Throw(service, errors);
        await NodePortsAsync(service, old, context, taken, errors, cancellationToken).ConfigureAwait(false);
        Throw(service, errors);
    }

    /// <summary>Upstream stops at the first thing that it cannot allocate.</summary>
    private static void Throw(Service service, ErrorList errors)
    {
        if (errors.Any)
        {
            throw Statuses.Invalid("", "Service", service.Metadata.Name, errors);
        }
    }

    /// <summary>clusterIPs follows clusterIP for clients that know only the one.</summary>
    private static void Align(ServiceSpec spec, ServiceSpec? old)
    {
        var isStale = old is not null && spec.ClusterIP != old.ClusterIP && (spec.ClusterIPs ?? []).SequenceEqual(old.ClusterIPs ?? []);
        if (isStale || spec.ClusterIPs is not { Count: > 0 })
        {
            spec.ClusterIPs = spec.ClusterIP.Length > 0 ? [spec.ClusterIP] : null;
        }
    }

    /// <summary>One address a family, in the order of the families: what the Service has already, what it asks for, or any.</summary>
    private async ValueTask AddressesAsync(Service service, Service? old, RuleContext context, Taken taken, ErrorList errors, CancellationToken cancellationToken)
    {
        var spec = service.Spec;
        if (spec.ClusterIP == None)
        {
            return;
        }

        var given = spec.ClusterIPs ?? [];
        // Addresses cannot be changed; validation says so.
        var kept = old is { Spec.Type: not "ExternalName" } ? old.Spec.ClusterIPs?.Count ?? (old.Spec.ClusterIP.Length > 0 ? 1 : 0) : 0;
        var all = new List<string>();
        for (var i = 0; i < spec.IpFamilies!.Count && !errors.Any; i++)
        {
            if (i >= given.Count)
            {
                all.Add(await AnyAsync(service, spec.IpFamilies[i], context, taken, cancellationToken).ConfigureAwait(false));
                continue;
            }

            all.Add(given[i]);
            if (i >= kept)
            {
                await CertainAsync(service, given[i], context, taken, errors, cancellationToken).ConfigureAwait(false);
            }
        }

        (spec.ClusterIP, spec.ClusterIPs) = (all[0], all);
    }

    /// <summary>A dry run shows that there would be one: the range's own address stands for it.</summary>
    private async ValueTask<string> AnyAsync(Service service, string family, RuleContext context, Taken taken, CancellationToken cancellationToken)
    {
        if (context.DryRun)
        {
            return ranges.Example(family);
        }

        var address = await ranges.TakeAsync(family, service.Metadata.Namespace, service.Metadata.Name, cancellationToken).ConfigureAwait(false);
        taken.Addresses.Add(address);
        return address;
    }

    private async ValueTask CertainAsync(Service service, string asked, RuleContext context, Taken taken, ErrorList errors, CancellationToken cancellationToken)
    {
        var path = FieldPath.Spec.Child("clusterIPs");
        var address = IPAddress.Parse(asked);
        if (ranges.Containing(address) is not { } addresses)
        {
            errors.Invalid(path, asked, "failed to allocate IP: the provided IP is not in the valid range");
        }
        else if (context.DryRun
            ? context.Reader.Get<Hardway.Api.Networking.V1.IPAddress>("", address.ToString()) is not null
            : !await addresses.TryAsync(address.ToString(), service.Metadata.Namespace, service.Metadata.Name, cancellationToken).ConfigureAwait(false))
        {
            errors.Invalid(path, asked, "failed to allocate IP: provided IP is already allocated");
        }
        else if (!context.DryRun)
        {
            taken.Addresses.Add(address.ToString());
        }
    }

    private async ValueTask NodePortsAsync(Service service, Service? old, RuleContext context, Taken taken, ErrorList errors, CancellationToken cancellationToken)
    {
        var spec = service.Spec;
        if (spec.Type is not ("NodePort" or "LoadBalancer"))
        {
            return;
        }

        var mine = old is null ? [] : NodePorts(old).ToHashSet();
        var byPort = new Dictionary<int, int>();
        for (var i = 0; i < spec.Ports?.Count; i++)
        {
            var port = spec.Ports[i];
            if (old is null && port.NodePort == 0)
            {
                // A new Service's port has one number for all its protocols, as DNS likes it.
                port.NodePort = byPort.GetValueOrDefault(port.Port, spec.Ports.Find(p => p.Port == port.Port && p.NodePort > 0)?.NodePort ?? 0);
            }

            if (port.NodePort > 0)
            {
                if (!mine.Contains(port.NodePort) && byPort.GetValueOrDefault(port.Port) != port.NodePort)
                {
                    await CertainPortAsync(port.NodePort, FieldPath.Spec.Child("ports").Index(i).Child("nodePort"), context, taken, errors, cancellationToken).ConfigureAwait(false);
                }
            }
            else if (spec.Type == "NodePort" || spec.AllocateLoadBalancerNodePorts != false)
            {
                port.NodePort = await AnyPortAsync(context, taken, cancellationToken).ConfigureAwait(false);
            }

            if (errors.Any)
            {
                return;
            }

            byPort[port.Port] = port.NodePort;
            if (old is not null)
            {
                mine.Add(port.NodePort);
            }
        }

        await HealthPortAsync(spec, mine, context, taken, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask HealthPortAsync(ServiceSpec spec, HashSet<int> mine, RuleContext context, Taken taken, CancellationToken cancellationToken)
    {
        if (spec.Type != "LoadBalancer" || spec.ExternalTrafficPolicy != "Local")
        {
            return;
        }

        if (spec.HealthCheckNodePort == 0)
        {
            spec.HealthCheckNodePort = await AnyPortAsync(context, taken, cancellationToken).ConfigureAwait(false);
        }
        else if (!mine.Contains(spec.HealthCheckNodePort) && ports.Contains(spec.HealthCheckNodePort) && !await TryPortAsync(spec.HealthCheckNodePort, context, taken, cancellationToken).ConfigureAwait(false))
        {
            throw Statuses.Internal($"failed to allocate requested HealthCheck NodePort {spec.HealthCheckNodePort}: provided port is already allocated");
        }
    }

    private async ValueTask<int> AnyPortAsync(RuleContext context, Taken taken, CancellationToken cancellationToken)
    {
        if (!context.DryRun)
        {
            var port = await ports.TakeAsync(cancellationToken).ConfigureAwait(false);
            taken.Ports.Add(port);
            return port;
        }

        // Some number that looks like one: nothing is taken.
        var example = Math.Max(ExamplePort, taken.Ports.DefaultIfEmpty().Max() + 1);
        taken.Ports.Add(example);
        return example;
    }

    private async ValueTask CertainPortAsync(int port, FieldPath path, RuleContext context, Taken taken, ErrorList errors, CancellationToken cancellationToken)
    {
        if (!ports.Contains(port))
        {
            errors.Invalid(path, port, "provided port is not in the valid range");
        }
        else if (!await TryPortAsync(port, context, taken, cancellationToken).ConfigureAwait(false))
        {
            errors.Invalid(path, port, "provided port is already allocated");
        }
    }

    private async ValueTask<bool> TryPortAsync(int port, RuleContext context, Taken taken, CancellationToken cancellationToken)
    {
        var isFree = context.DryRun
            ? !taken.Ports.Contains(port) && !context.Reader.List<Service>().SelectMany(NodePorts).Contains(port)
            : await ports.TryAsync(port, cancellationToken).ConfigureAwait(false);
        if (isFree)
        {
            taken.Ports.Add(port);
        }

        return isFree;
    }

    /// <summary>What one write took, to be given back when it fails.</summary>
    private sealed class Taken(ServiceRanges ranges, NodePortAllocator ports, bool isDryRun)
    {
        public List<string> Addresses { get; } = [];

        public List<int> Ports { get; } = [];

        public async ValueTask GiveBackAsync()
        {
            if (isDryRun)
            {
                return;
            }

            await ports.GiveBackAsync(Ports, CancellationToken.None).ConfigureAwait(false);
            foreach (var address in Addresses)
            {
                await ranges.Primary.GiveBackAsync(address, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }
}
