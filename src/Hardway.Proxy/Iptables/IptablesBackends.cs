namespace Hardway.Proxy.Iptables;

/// <summary>
/// iptables exists twice: iptables-legacy and iptables-nft, with rules that the other does not see though every packet passes both. Rules of both on one node
/// act differently from what either shows.
/// </summary>
internal static class IptablesBackends
{
    /// <summary>Null when at most one of them has rules, else what is there, in one line.</summary>
    public static async Task<string?> MixedAsync(RuleCommand command, CancellationToken cancel)
    {
        // Asking iptables-legacy makes its tables: it is asked only where the kernel has some.
        var legacy = 0;
        foreach (var (file, program) in ((string, string)[])[("ip_tables_names", "iptables-legacy-save"), ("ip6_tables_names", "ip6tables-legacy-save")])
        {
            var (code, tables) = await TryAsync(command, ["cat", $"/proc/net/{file}"], cancel).ConfigureAwait(false);
            legacy += code == 0 && tables.Trim().Length > 0 ? await RulesAsync(command, program, cancel).ConfigureAwait(false) : 0;
        }

        if (legacy == 0)
        {
            return null;
        }

        var nft = await RulesAsync(command, "iptables-nft-save", cancel).ConfigureAwait(false) + await RulesAsync(command, "ip6tables-nft-save", cancel).ConfigureAwait(false);
        return nft == 0 ? null : $"this node has rules of iptables-legacy ({legacy}) and of iptables-nft ({nft}), which do not see each other";
    }

    /// <summary>The backend of the program "iptables", and the rules that the other one has.</summary>
    public static async Task<string?> OtherAsync(RuleCommand command, CancellationToken cancel)
    {
        var (code, version) = await TryAsync(command, ["iptables", "--version"], cancel).ConfigureAwait(false);
        if (code != 0)
        {
            return null;
        }

        var isLegacy = version.Contains("legacy", StringComparison.Ordinal);
        var (_, tables) = await TryAsync(command, ["cat", "/proc/net/ip_tables_names"], cancel).ConfigureAwait(false);
        var rules = isLegacy ? await RulesAsync(command, "iptables-nft-save", cancel).ConfigureAwait(false)
            : tables.Trim().Length > 0 ? await RulesAsync(command, "iptables-legacy-save", cancel).ConfigureAwait(false) : 0;
        var (own, other) = isLegacy ? ("iptables-legacy", "iptables-nft") : ("iptables-nft", "iptables-legacy");
        return rules == 0 ? null : $"iptables is {own} here, but there are {rules} rules of {other}: remove them ({other} -F in each table), or make {other} the node's iptables (update-alternatives --set iptables)";
    }

    private static async Task<int> RulesAsync(RuleCommand command, string program, CancellationToken cancel)
    {
        var (code, output) = await TryAsync(command, [program], cancel).ConfigureAwait(false);
        return code == 0 ? output.Split('\n').Count(l => l.StartsWith("-A ", StringComparison.Ordinal)) : 0;
    }

    /// <summary>A program that is not installed has no rules.</summary>
    private static async Task<(int Code, string Output)> TryAsync(RuleCommand command, string[] words, CancellationToken cancel)
    {
        try
        {
            return await command.RunAsync(words, "", cancel).ConfigureAwait(false);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return (127, "");
        }
    }
}
