namespace Hardway.Lab.Host;

/// <summary>
/// What the lab asks of the host's packet filter: a masquerade so that machines reach the outside, in a table of its own; and, only where another
/// program (Docker) made the host drop what it forwards, an exception for the lab's bridge, since bridged packets pass that filter too (br_netfilter).
/// A host that did not forward still forwards for nobody but the lab. All of it goes with <see cref="RemoveAsync"/>.
/// </summary>
internal sealed class HostFirewall(LabPaths paths)
{
    public const string Table = "hardway";
    private const string ForwardSwitch = "/proc/sys/net/ipv4/ip_forward";

    private string SavedForward => Path.Combine(paths.State, "ip_forward.before");

    public async Task EnsureAsync(CancellationToken cancellation)
    {
        if (await TableExistsAsync(cancellation) && (await File.ReadAllTextAsync(ForwardSwitch, cancellation)).Trim() == "1") return;
        Directory.CreateDirectory(paths.State);
        if (!File.Exists(SavedForward)) File.Copy(ForwardSwitch, SavedForward);
        var forwardedBefore = (await File.ReadAllTextAsync(SavedForward, cancellation)).Trim() == "1";
        await HostCommand.RunAsync("nft", ["-f", "-"], cancellation, Ruleset(forwardedBefore));
        await File.WriteAllTextAsync(ForwardSwitch, "1", cancellation);
        if (await ForwardPolicyDropsAsync(cancellation))
            foreach (var rule in Exceptions)
                if ((await HostCommand.TryAsync("iptables", ["-C", .. rule], cancellation)).ExitCode != 0) await HostCommand.RunAsync("iptables", ["-I", .. rule], cancellation);
    }

    public async Task RemoveAsync(CancellationToken cancellation)
    {
        if (await TableExistsAsync(cancellation)) await HostCommand.RunAsync("nft", ["delete", "table", "inet", Table], cancellation);
        if (HostCommand.Find("iptables") is not null)
            foreach (var rule in Exceptions)
                while ((await HostCommand.TryAsync("iptables", ["-C", .. rule], cancellation)).ExitCode == 0) await HostCommand.RunAsync("iptables", ["-D", .. rule], cancellation);
        if (!File.Exists(SavedForward)) return;
        await File.WriteAllTextAsync(ForwardSwitch, (await File.ReadAllTextAsync(SavedForward, cancellation)).Trim(), cancellation);
        File.Delete(SavedForward);
    }

    public static async Task<bool> TableExistsAsync(CancellationToken cancellation) =>
        HostCommand.Find("nft") is not null && (await HostCommand.TryAsync("nft", ["list", "table", "inet", Table], cancellation)).ExitCode == 0;

    internal static string Ruleset(bool hostForwarded) => $$"""
        table inet {{Table}} {
            chain forward {
                type filter hook forward priority filter; policy accept;
                iifname "{{LabPlan.Bridge}}" accept
                oifname "{{LabPlan.Bridge}}" ct state established,related accept
                oifname "{{LabPlan.Bridge}}" drop
                {{(hostForwarded ? "" : "drop comment \"this host did not forward before the lab\"")}}
            }
            chain postrouting {
                type nat hook postrouting priority srcnat; policy accept;
                ip saddr { {{LabPlan.Subnet}}, {{LabPlan.PodSupernet}} } oifname != "{{LabPlan.Bridge}}" masquerade
            }
        }

        """;

    private static readonly string[][] Exceptions =
    [
        ["FORWARD", "-i", LabPlan.Bridge, "-m", "comment", "--comment", Table, "-j", "ACCEPT"],
        ["FORWARD", "-o", LabPlan.Bridge, "-m", "comment", "--comment", Table, "-j", "ACCEPT"],
    ];

    private static async Task<bool> ForwardPolicyDropsAsync(CancellationToken cancellation) =>
        HostCommand.Find("iptables") is not null &&
        (await HostCommand.TryAsync("iptables", ["-S", "FORWARD"], cancellation)).Output.Contains("-P FORWARD DROP", StringComparison.Ordinal);
}
