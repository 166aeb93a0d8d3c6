using System.Text;
using Hardway.Proxy.Model;

namespace Hardway.Proxy.Iptables;

/// <summary>
/// Keeps one family's iptables chains as wanted, by iptables-restore --noflush: a transaction a table, in which only chains that changed are
/// named, so all others stay as they are. The first sync names all, reads which chains an earlier run left, and removes those.
/// </summary>
internal sealed class IptablesTable(IptablesOptions options, RuleCommand command) : IRuleTable
{
    private static readonly string[] s_tables = ["raw", "nat", "filter"];

    private static readonly (string Table, string Chain, string Rule)[] s_jumps =
    [
        ("raw", "PREROUTING", "-m comment --comment \"kubernetes load balancer firewall\" -j KUBE-PROXY-FIREWALL"),
        ("nat", "PREROUTING", "-m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES"),
        ("nat", "OUTPUT", "-m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES"),
        ("nat", "POSTROUTING", "-m comment --comment \"kubernetes postrouting rules\" -j KUBE-POSTROUTING"),
        ("filter", "INPUT", "-m comment --comment \"kubernetes firewall\" -j KUBE-FIREWALL"),
        ("filter", "INPUT", "-m comment --comment \"kubernetes health check service ports\" -j KUBE-NODEPORTS"),
        ("filter", "INPUT", "-m conntrack --ctstate NEW -m comment --comment \"kubernetes externally-visible service portals\" -j KUBE-EXTERNAL-SERVICES"),
        ("filter", "FORWARD", "-m comment --comment \"kubernetes forwarding rules\" -j KUBE-FORWARD"),
        ("filter", "FORWARD", "-m conntrack --ctstate NEW -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES"),
        ("filter", "FORWARD", "-m conntrack --ctstate NEW -m comment --comment \"kubernetes externally-visible service portals\" -j KUBE-EXTERNAL-SERVICES"),
        ("filter", "OUTPUT", "-m conntrack --ctstate NEW -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES"),
    ];

    private Dictionary<(string Table, string Chain), List<string>>? _current;

    public bool IsV6 => options.IsV6;

    public string Name => options.Program;

    public async Task<string?> SyncAsync(IReadOnlyCollection<ServicePort> ports, bool full, CancellationToken cancel)
    {
        var wanted = IptablesRules.Build(ports, options);
        wanted.TryAdd(("raw", IptablesRules.ProxyFirewall), []);
        var from = full || _current is null ? await LeftoversAsync(cancel).ConfigureAwait(false) : _current;
        var script = Script(from, wanted);
        _current = null;
        if (script.Length > 0)
        {
            var (code, said) = await command.RunAsync([options.Program + "-restore", "-w", "5", "--noflush"], script, cancel).ConfigureAwait(false);
            if (code != 0)
            {
                return said;
            }
        }

        if (full && await JumpAsync(cancel).ConfigureAwait(false) is { } failed)
        {
            return failed;
        }

        _current = wanted;
        return null;
    }

    public async Task<bool> IsPresentAsync(CancellationToken cancel)
    {
        foreach (var (table, chain, rule) in s_jumps)
        {
            if (!await IsThereAsync(table, chain, rule, cancel).ConfigureAwait(false))
            {
                return false;
            }
        }

        return true;
    }

    public async Task<string?> RemoveAsync(CancellationToken cancel)
    {
        foreach (var (table, chain, rule) in s_jumps)
        {
            while (await IsThereAsync(table, chain, rule, cancel).ConfigureAwait(false))
            {
                await command.RunAsync([options.Program, "-w", "5", "-t", table, "-D", chain, .. Words(rule)], "", cancel).ConfigureAwait(false);
            }
        }

        var script = Script(await LeftoversAsync(cancel).ConfigureAwait(false), []);
        _current = null;
        if (script.Length == 0)
        {
            return null;
        }

        var (code, said) = await command.RunAsync([options.Program + "-restore", "-w", "5", "--noflush"], script, cancel).ConfigureAwait(false);
        return code == 0 ? null : said;
    }

    /// <summary>Naming a chain empties it; chains that are gone are emptied and then deleted, when nothing refers to them any more.</summary>
    internal static string Script(
        Dictionary<(string Table, string Chain), List<string>> from, Dictionary<(string Table, string Chain), List<string>> to)
    {
        var script = new StringBuilder();
        foreach (var table in s_tables)
        {
            var changed = to.Where(c => c.Key.Table == table && (!from.TryGetValue(c.Key, out var old) || !old.SequenceEqual(c.Value))).ToList();
            var gone = from.Keys.Where(k => k.Table == table && !to.ContainsKey(k)).ToList();
            if (changed.Count == 0 && gone.Count == 0)
            {
                continue;
            }

            script.Append('*').Append(table).Append('\n');
            foreach (var chain in changed.Select(c => c.Key.Chain).Concat(gone.Select(k => k.Chain)))
            {
                script.Append(':').Append(chain).Append(" - [0:0]\n");
            }

            foreach (var (key, rules) in changed)
            {
                foreach (var rule in rules)
                {
                    script.Append("-A ").Append(key.Chain).Append(' ').Append(rule).Append('\n');
                }
            }

            foreach (var (_, chain) in gone)
            {
                script.Append("-X ").Append(chain).Append('\n');
            }

            script.Append("COMMIT\n");
        }

        return script.ToString();
    }

    /// <summary>Our chains that are in the kernel, with contents unknown: none equals a wanted one, so all are written.</summary>
    private async Task<Dictionary<(string, string), List<string>>> LeftoversAsync(CancellationToken cancel)
    {
        var found = new Dictionary<(string, string), List<string>>();
        foreach (var table in s_tables)
        {
            var (code, output) = await command.RunAsync([options.Program + "-save", "-t", table], "", cancel).ConfigureAwait(false);
            if (code != 0)
            {
                continue; // the table does not exist yet
            }

            foreach (var line in output.Split('\n'))
            {
                if (line.StartsWith(":KUBE-", StringComparison.Ordinal) && line.Split(' ')[0][1..] is var chain && IsOurs(table, chain))
                {
                    found[(table, chain)] = ["unknown"];
                }
            }
        }

        return found;
    }

    /// <summary>The kubelet has chains of its own: its canary and, in nat, its marks.</summary>
    private static bool IsOurs(string table, string chain) =>
        !chain.StartsWith("KUBE-KUBELET-", StringComparison.Ordinal) && !(table == "nat" && chain is "KUBE-MARK-DROP");

    private async Task<string?> JumpAsync(CancellationToken cancel)
    {
        foreach (var (table, chain, rule) in s_jumps.Reverse())
        {
            if (await IsThereAsync(table, chain, rule, cancel).ConfigureAwait(false))
            {
                continue;
            }

            var (code, said) = await command.RunAsync([options.Program, "-w", "5", "-t", table, "-I", chain, .. Words(rule)], "", cancel).ConfigureAwait(false);
            if (code != 0)
            {
                return said;
            }
        }

        return null;
    }

    private async Task<bool> IsThereAsync(string table, string chain, string rule, CancellationToken cancel) =>
        (await command.RunAsync([options.Program, "-w", "5", "-t", table, "-C", chain, .. Words(rule)], "", cancel).ConfigureAwait(false)).Code == 0;

    /// <summary>A rule as arguments; quotes hold a comment together.</summary>
    private static List<string> Words(string rule)
    {
        var words = new List<string>();
        var parts = rule.Split('"');
        for (var i = 0; i < parts.Length; i++)
        {
            words.AddRange(i % 2 == 1 ? [parts[i]] : parts[i].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        }

        return words;
    }
}
