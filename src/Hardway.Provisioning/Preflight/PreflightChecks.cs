using System.Globalization;
using System.Net;
using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Preflight;

/// <summary>What would make a cluster suffer, told from what was seen. Pure. Each check stands for one of the things that break clusters across machines.</summary>
internal static class PreflightChecks
{
    private static readonly TimeSpan _clock = TimeSpan.FromSeconds(2);

    /// <summary>Mean time of a synchronous write from which etcd's elections and writes suffer (its own advice: 10 ms), and from which they fail.</summary>
    private const double _slowSync = 0.025, _hopelessSync = 0.5;

    public static IReadOnlyList<PreflightFinding> Judge(PreflightSights seen) =>
    [
        .. seen.Silent.Select(s => Bad(s.Key, "log-in", s.Value, $"ssh to {s.Key.Address} must work before anything else")),
        .. Members(seen),
        .. seen.Facts.SelectMany(f => Of(seen, f.Key, f.Value)),
        .. Twins(seen),
        .. Filters(seen),
        .. Reachable(seen),
        .. seen.Certificates.Select(c => new PreflightFinding(true, "", "SAN coverage", c, "up makes it anew and starts the programs that show it again, API servers one after the other")),
    ];

    private static IEnumerable<PreflightFinding> Members(PreflightSights seen)
    {
        var machines = seen.Machines;
        if (machines.Servers.Count % 2 == 0)
        {
            yield return new PreflightFinding(
                true, "", "quorum", $"{machines.Servers.Count} servers bear the loss of {(machines.Servers.Count - 1) / 2}, as {machines.Servers.Count - 1} do", "Have an odd number: hardway server add, or hardway server remove");
        }

        foreach (var gone in seen.Former?.Machines.Where(m => machines.Machines.All(n => n.HostName != m.HostName || n.Role != m.Role)) ?? [])
        {
            yield return Bad(gone, "membership", $"it is part of the cluster and not of {machines.Machines.Count} machines that are to be it", gone.Role == MachineRole.LoadBalancer
                ? "Keep the load balancer's line, or begin anew: hardway reset" : $"Keep its line, or take it out in order: hardway {(gone.Role == MachineRole.Node ? "node" : "server")} remove {gone}");
        }

        foreach (var moved in seen.Former?.Machines.Where(m => machines.Machines.Any(n => n.HostName == m.HostName && n.Role == m.Role && !n.Address.Equals(m.Address))) ?? [])
        {
            yield return Bad(moved, "membership", $"it has the address {moved.Address} in the cluster and {machines.Find(moved.HostName)!.Address} in the machine database", moved.Role == MachineRole.LoadBalancer
                ? "Give it its address back, or begin anew: hardway reset" : $"Take it out and in again: hardway {(moved.Role == MachineRole.Node ? "node" : "server")} remove {moved}, then add");
        }
    }

    private static IEnumerable<PreflightFinding> Of(PreflightSights seen, Machine machine, MachineFacts facts)
    {
        if (facts.ClockOffset.Duration() > _clock)
        {
            yield return Bad(machine, "clock", $"its clock is {facts.ClockOffset.TotalSeconds:+0.0;-0.0} s from this computer's", "timedatectl set-ntp true there, or chrony; certificates and tokens are judged by the clock");
        }

        if (facts.Text("architecture") is { Length: > 0 } architecture and not "x86_64")
        {
            yield return Bad(machine, "architecture", $"it is a {architecture}, and the program is made for x86_64", "Use a machine of that kind");
        }

        if (!int.TryParse(facts.Text("systemd"), CultureInfo.InvariantCulture, out var version) || version < 247)
        {
            yield return Bad(machine, "systemd", version == 0 ? "there is no systemd" : $"its systemd is {version}", "Use Debian 12 or newer, or Ubuntu 22.04 or newer");
        }

        foreach (var finding in Names(seen, machine, facts).Concat(Subnets(seen.Machines, machine, facts)).Concat(Room(machine, facts)).Concat(Listeners(seen.Machines, machine, facts)))
        {
            yield return finding;
        }

        if (machine.Role == MachineRole.Node)
        {
            (string Key, string Module)[] modules = [("bridge", "br_netfilter"), ("overlay", "overlay")];
            foreach (var (key, module) in modules)
            {
                if (facts.Text(key) != "yes")
                {
                    yield return Bad(machine, "kernel", $"the module {module} is neither loaded nor to be had", $"modprobe {module} there; a kernel without it cannot run Pods");
                }
            }

            if (facts.Lines("swaps").Count > 0)
            {
                yield return new PreflightFinding(true, machine.HostName, "swap", $"swap is on ({facts.Lines("swaps")[0].Split(' ')[0]})", "swapoff -a, and take it out of /etc/fstab: limits of memory mean little with it");
            }
        }
    }

    private static IEnumerable<PreflightFinding> Names(PreflightSights seen, Machine machine, MachineFacts facts)
    {
        var machines = seen.Machines;
        if (machines.Machines.FirstOrDefault(m => m != machine && m.HostName == facts.Text("hostname")) is { } other)
        {
            // A machine of the cluster that has forgotten its name gets it back; one that was never seen may be the other.
            yield return new PreflightFinding(
                seen.Former?.Find(machine.HostName) is not null, machine.HostName, "names", $"the machine at {machine.Address} calls itself {other}, which is to be at {other.Address}",
                "Are two lines of the machine database swapped? If not, up names it anew");
        }

        foreach (var words in facts.Lines("hosts").Select(l => l.Split('#')[0].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).Where(w => w.Length > 1))
        {
            // Debian gives the own name to 127.0.1.1; that line is taken out anyway.
            var wrong = words.Skip(1).Select(machines.Find).FirstOrDefault(m => m is not null && m.Address.ToString() != words[0] && words[0] is not ("127.0.1.1" or "::1"));
            if (wrong is not null)
            {
                yield return Bad(machine, "names", $"/etc/hosts says {words[0]} for {wrong}, which is at {wrong.Address}", $"Take the line '{string.Join(' ', words)}' out of /etc/hosts there");
            }
        }
    }

    /// <summary>A network that is somebody else's already: packets for Pods or Services would go there.</summary>
    private static IEnumerable<PreflightFinding> Subnets(MachineDatabase machines, Machine machine, MachineFacts facts)
    {
        var ours = machines.Machines.Select(m => m.Address.ToString()).ToHashSet();
        List<(string What, IPNetwork Network)> wanted =
        [
            ("the Services' range", IPNetwork.Parse(ClusterAddresses.ServiceRange)), .. machines.Machines.Where(m => m.PodSubnet is not null).Select(m => ($"the Pod subnet of {m}", m.PodSubnet!.Value)),
        ];
        foreach (var line in facts.Lines("routes"))
        {
            var words = line.Split(' ');
            if (words[0] == "default" || words.Contains("cni0") || (words is [_, "via", var hop, ..] && ours.Contains(hop))
                || !IPNetwork.TryParse(words[0].Contains('/', StringComparison.Ordinal) ? words[0] : words[0] + "/32", out var network))
            {
                continue;
            }

            if (wanted.FirstOrDefault(w => MachineDatabaseValidator.Overlap(w.Network, network)) is { What: { } what } taken)
            {
                yield return Bad(machine, "subnets", $"its route '{line.Trim()}' overlaps {what} {taken.Network}", "Remove what made the route, or choose other Pod subnets in the machine database");
            }
        }
    }

    private static IEnumerable<PreflightFinding> Room(Machine machine, MachineFacts facts)
    {
        var (memory, disk) = machine.Role switch { MachineRole.Server => (1024, 2048), MachineRole.Node => (768, 3072), _ => (192, 256) };
        var numbers = facts.Lines("memory").Select(l => long.Parse(l, CultureInfo.InvariantCulture) / 1024).ToList();
        if (numbers is [var total, ..] && total < memory)
        {
            yield return Room("memory", total < memory / 2, $"it has {total} MB of memory; a {Word(machine.Role)} wants {memory} MB", "Give it more memory");
        }
        else if (numbers is [_, var available] && available < memory / 4 && facts.Text("ours").Length == 0)
        {
            yield return Room("memory", false, $"{available} MB of its memory are free; a {Word(machine.Role)} wants {memory} MB", "Stop what uses the rest");
        }

        if (facts.Text("disk").Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, _, _, var free, ..] && long.TryParse(free, CultureInfo.InvariantCulture, out var kilobytes) && kilobytes / 1024 < disk)
        {
            yield return Room("disk", kilobytes / 1024 < disk / 2, $"/var/lib has {kilobytes / 1024} MB free; a {Word(machine.Role)} wants {disk} MB", "Make room: du -xd1 /var | sort -n");
        }

        if (double.TryParse(facts.Text("sync"), CultureInfo.InvariantCulture, out var seconds) && seconds / PreflightQuestions.Syncs is var sync and > _slowSync)
        {
            yield return Room("disk sync", sync > _hopelessSync, $"a small write takes {sync * 1000:0} ms to be on its disk; etcd waits for one at every change and wants less than 10 ms", "Put /var/lib/etcd on a faster disk (SSD), away from others' writes");
        }

        PreflightFinding Room(string subject, bool bad, string seen, string fix) => new(!bad, machine.HostName, subject, seen, fix);
    }

    /// <summary>Somebody else's program at a port of ours.</summary>
    private static IEnumerable<PreflightFinding> Listeners(MachineDatabase machines, Machine machine, MachineFacts facts)
    {
        var ports = PortNeed.PortsOf(PortNeed.Of(machines), machine);
        var running = facts.Lines("ours");
        foreach (var words in facts.Lines("listening").Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(w => w.Length >= 5))
        {
            var who = words.Length > 5 && words[5].Split('"') is [_, var name, ..] ? name : "";
            if (int.TryParse(words[3][(words[3].LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture, out var port) && ports.Contains(port) && !IsOurs(who) && !running.Contains(PortNeed.UnitOf(machine.Role, port)))
            {
                yield return Bad(machine, "ports", $"{(who.Length > 0 ? who : "another program")} listens at port {port} already", "Stop and disable it: the port is needed");
            }
        }

        static bool IsOurs(string program) => program is "etcd" or "haproxy" or "hardway" or "systemd-socket-" || program.StartsWith("kube", StringComparison.Ordinal);
    }

    private static IEnumerable<PreflightFinding> Twins(PreflightSights seen) => seen.Facts.Where(f => f.Value.Text("id").Length > 0).GroupBy(f => f.Value.Text("id"), f => f.Key).Where(g => g.Count() > 1)
        .Select(g => new PreflightFinding(true, g.Last().HostName, "names", $"it has the same /etc/machine-id as {string.Join(", ", g.SkipLast(1))}", "A copied image: rm /etc/machine-id; systemd-machine-id-setup; DHCP and the journal tell machines apart by it"));

    private static IEnumerable<PreflightFinding> Filters(PreflightSights seen)
    {
        var nodes = seen.Facts.Where(f => f.Key.Role == MachineRole.Node && f.Value.Text("iptables").Length > 0).ToList();
        var legacy = nodes.Where(f => f.Value.Text("iptables").Contains("(legacy)", StringComparison.Ordinal)).ToList();
        return legacy.Count < nodes.Count
            ? legacy.Select(f => Bad(f.Key, "packet filter", $"its {f.Value.Text("iptables")} writes other tables than the other nodes' nf_tables", "update-alternatives --set iptables /usr/sbin/iptables-nft there"))
            : legacy.Where(f => f.Value.Lines("legacy-rules").Count > 0).Select(f => new PreflightFinding(
                true, f.Key.HostName, "packet filter", $"it has rules of iptables-legacy such as '{f.Value.Lines("legacy-rules")[0]}'", "kube-proxy's nftables and these both judge every packet: iptables-legacy -F"));
    }

    private static IEnumerable<PreflightFinding> Reachable(PreflightSights seen) => seen.Ports
        .Where(p => p.Value == "silent" || (p.Value == "refused" && seen.Listening.Contains(p.Key.To)))
        .GroupBy(p => (p.Key.From, p.Key.To, p.Value)).Select(g => Bad(
            g.Key.To,
            "ports",
            $"{(g.Key.From is { } from ? from.HostName : "this computer")} does not reach its port{(g.Count() > 1 ? "s" : "")} {string.Join(", ", g.Select(p => $"{p.Key.Port} ({p.Key.What})"))}: {(g.Key.Value == "silent" ? "no answer" : "refused, though somebody listens")}",
            $"Open {(g.Count() > 1 ? "them" : "it")} in the packet filters of {g.Key.To}{(g.Key.From is null ? "" : $" and of {g.Key.From}")}, and between them"));

    private static PreflightFinding Bad(Machine machine, string subject, string seen, string fix) => new(false, machine.HostName, subject, seen, fix);

    private static string Word(MachineRole role) => role switch { MachineRole.Server => "server", MachineRole.Node => "node", _ => "load balancer" };
}
