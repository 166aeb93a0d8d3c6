using System.Net;

namespace Hardway.Provisioning.Machines;

/// <summary>Checks the machines against each other: duplicates, overlaps, and whether they make a cluster.</summary>
internal sealed class MachineDatabaseValidator(string name, IReadOnlyList<(string Name, IPNetwork Network)> reserved, List<string> errors, bool changing)
{
    public void Validate(IReadOnlyList<Machine> machines)
    {
        Duplicates(machines, m => m.Address.ToString(), "address");
        Duplicates(machines, m => m.HostName, "host name");
        Duplicates(machines, m => m.Fqdn, "fully qualified name");
        Overlaps(machines);
        Domains(machines);
        Roles(machines);
    }

    internal static bool Overlap(IPNetwork a, IPNetwork b) => a.Contains(b.BaseAddress) || b.Contains(a.BaseAddress);

    private void Duplicates(IReadOnlyList<Machine> machines, Func<Machine, string> key, string what)
    {
        foreach (var group in machines.GroupBy(key).Where(g => g.Count() > 1))
        {
            var first = group.First();
            foreach (var machine in group.Skip(1))
            {
                Error(machine.Line, $"{what} {group.Key} is taken by line {first.Line} already");
            }
        }
    }

    private void Overlaps(IReadOnlyList<Machine> machines)
    {
        var withSubnet = machines.Where(m => m.PodSubnet is not null).OrderBy(m => m.Line).ToList();
        for (var i = 0; i < withSubnet.Count; i++)
        {
            var (machine, subnet) = (withSubnet[i], withSubnet[i].PodSubnet!.Value);
            if (withSubnet.Take(i).FirstOrDefault(o => Overlap(o.PodSubnet!.Value, subnet)) is { } other)
            {
                Error(machine.Line, $"Pod subnet {subnet} of {machine} overlaps {other.PodSubnet} of {other} (line {other.Line})");
            }

            foreach (var (what, network) in reserved.Where(r => Overlap(r.Network, subnet)))
            {
                Error(machine.Line, $"Pod subnet {subnet} of {machine} overlaps the {what} {network}");
            }
        }

        foreach (var machine in machines)
        {
            if (withSubnet.FirstOrDefault(o => o.PodSubnet!.Value.Contains(machine.Address)) is { } owner)
            {
                Error(machine.Line, $"address {machine.Address} of {machine} lies in the Pod subnet {owner.PodSubnet} of {owner}");
            }

            foreach (var (what, network) in reserved.Where(r => r.Network.Contains(machine.Address)))
            {
                Error(machine.Line, $"address {machine.Address} of {machine} lies in the {what} {network}");
            }
        }
    }

    private void Domains(IReadOnlyList<Machine> machines)
    {
        foreach (var machine in machines.Skip(1))
        {
            var domain = DomainOf(machine);
            if (domain != DomainOf(machines[0]))
            {
                Error(machine.Line, $"domain {domain} of {machine} differs from {DomainOf(machines[0])} (line {machines[0].Line}); all machines share one");
            }
        }
    }

    private void Roles(IReadOnlyList<Machine> machines)
    {
        var servers = machines.Count(m => m.Role == MachineRole.Server);
        var balancers = machines.Where(m => m.Role == MachineRole.LoadBalancer).ToList();
        if (errors.Count > 0)
        {
            return; // Counts mean nothing while lines are unreadable.
        }

        if (servers == 0)
        {
            errors.Add($"{name}: no server; add a line such as 10.240.0.70 server-0.kubernetes.local server-0");
        }
        else if (servers % 2 == 0 && !changing)
        {
            errors.Add($"{name}: no quorum to lose: {servers} servers make {servers} etcd members, and the loss of {(servers / 2)} stops every write, "
                + $"as with {servers - 1}; have {servers - 1} or {servers + 1} servers");
        }
        else if (servers > 7)
        {
            errors.Add($"{name}: {servers} servers; etcd takes up to 7 members");
        }

        if (machines.All(m => m.Role != MachineRole.Node))
        {
            errors.Add($"{name}: no node; add a line such as 10.240.0.80 node-0.kubernetes.local node-0 10.200.0.0/24");
        }

        foreach (var extra in balancers.Skip(1))
        {
            Error(extra.Line, $"a second load balancer; {balancers[0]} (line {balancers[0].Line}) is one already");
        }

        if (balancers.Count == 0 && servers > 1)
        {
            errors.Add($"{name}: {servers} servers and no load balancer; add a line such as 10.240.0.60 lb.kubernetes.local lb");
        }
    }

    private static string DomainOf(Machine machine) => machine.Fqdn[(machine.Fqdn.IndexOf('.', StringComparison.Ordinal) + 1)..];

    private void Error(int line, string message) => errors.Add($"{name}:{line}: {message}");
}
