using System.Text.Json;
using Hardway.Lab.Host;

namespace Hardway.Lab.Machines;

/// <summary>The bridge all machines hang on, and each machine's network namespace and cable. Every call finds what is there already.</summary>
internal static class MachineNetwork
{
    private const string BridgeAddress = "02:68:77:00:00:01";

    public static async Task EnsureBridgeAsync(CancellationToken cancellation)
    {
        // An address of its own: else a bridge takes the lowest of its cables', and changes it when that machine goes; the others would send to the old one until they notice.
        if (!LinkExists(LabPlan.Bridge)) await HostCommand.RunAsync("ip", ["link", "add", LabPlan.Bridge, "address", BridgeAddress, "type", "bridge"], cancellation);
        var addresses = await HostCommand.RunAsync("ip", ["-4", "-o", "address", "show", "dev", LabPlan.Bridge], cancellation);
        if (!addresses.Contains(LabPlan.Gateway + "/", StringComparison.Ordinal))
            await HostCommand.RunAsync("ip", ["address", "add", LabPlan.Gateway + "/24", "dev", LabPlan.Bridge], cancellation);
        await HostCommand.RunAsync("ip", ["link", "set", LabPlan.Bridge, "up"], cancellation);
    }

    /// <summary>Plugs a machine in, as its DHCP server would leave it: address, and the bridge as the way out.</summary>
    public static async Task PlugInAsync(LabMachine machine, CancellationToken cancellation)
    {
        Task Ip(params string[] arguments) => HostCommand.RunAsync("ip", arguments, cancellation);
        await Ip("netns", "add", machine.Link);
        await Ip("link", "add", machine.Link, "type", "veth", "peer", "name", "eth0", "netns", machine.Link);
        await Ip("link", "set", machine.Link, "master", LabPlan.Bridge, "up");
        await Ip("-n", machine.Link, "link", "set", "lo", "up");
        await Ip("-n", machine.Link, "address", "add", machine.Address + "/24", "dev", "eth0");
        await Ip("-n", machine.Link, "link", "set", "eth0", "up");
        await Ip("-n", machine.Link, "route", "add", "default", "via", LabPlan.Gateway);
    }

    public static async Task UnplugAsync(string link, CancellationToken cancellation)
    {
        if (Namespaces().Contains(link)) await HostCommand.RunAsync("ip", ["netns", "delete", link], cancellation);
        // The kernel takes the cable's other end with the namespace, but in its own time.
        if (LinkExists(link)) await HostCommand.TryAsync("ip", ["link", "delete", link], cancellation);
    }

    public static async Task RemoveBridgeAsync(CancellationToken cancellation)
    {
        if (LinkExists(LabPlan.Bridge)) await HostCommand.RunAsync("ip", ["link", "delete", LabPlan.Bridge], cancellation);
    }

    public static IReadOnlyList<string> Namespaces() =>
        Directory.Exists("/run/netns") ? [.. Directory.GetFiles("/run/netns", "hw-*").Select(f => Path.GetFileName(f)!)] : [];

    /// <summary>Links of the host that the lab made.</summary>
    public static IReadOnlyList<string> Links() =>
        [.. Directory.GetFileSystemEntries("/sys/class/net").Select(f => Path.GetFileName(f)!).Where(n => n == LabPlan.Bridge || n.StartsWith("hw-", StringComparison.Ordinal))];

    /// <summary>Routes of others that overlap the lab's subnet, as "10.240.0.0/16 dev docker0".</summary>
    public static async Task<IReadOnlyList<string>> ForeignRoutesAsync(CancellationToken cancellation)
    {
        using var routes = JsonDocument.Parse(await HostCommand.RunAsync("ip", ["-j", "-4", "route", "show"], cancellation));
        return [.. routes.RootElement.EnumerateArray().Select(r => (To: r.GetProperty("dst").GetString()!, Device: r.TryGetProperty("dev", out var d) ? d.GetString()! : "?"))
            .Where(r => r.Device != LabPlan.Bridge && Overlaps(r.To)).Select(r => $"{r.To} dev {r.Device}")];
    }

    private static bool Overlaps(string route)
    {
        if (route == "default") return false;
        if (!System.Net.IPNetwork.TryParse(route.Contains('/', StringComparison.Ordinal) ? route : route + "/32", out var network)) return false;
        var own = System.Net.IPNetwork.Parse(LabPlan.Subnet);
        return network.Contains(own.BaseAddress) || own.Contains(network.BaseAddress);
    }

    private static bool LinkExists(string name) => Directory.Exists("/sys/class/net/" + name);
}
