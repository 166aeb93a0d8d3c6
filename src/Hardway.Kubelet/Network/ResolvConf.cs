namespace Hardway.Kubelet.Network;

/// <summary>The three lists of a resolv.conf(5).</summary>
internal sealed record ResolvConf(IReadOnlyList<string> Servers, IReadOnlyList<string> Searches, IReadOnlyList<string> Options)
{
    public static readonly ResolvConf Empty = new([], [], []);

    public const int MaxServers = 3, MaxSearches = 32, MaxSearchLength = 2048;

    public static ResolvConf Parse(string text)
    {
        List<string> servers = [], searches = [], options = [];
        foreach (var line in text.Split('\n'))
        {
            var words = line.Split([' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length < 2 || words[0].StartsWith('#') || words[0].StartsWith(';'))
                continue;
            switch (words[0])
            {
                case "nameserver":
                    servers.Add(words[1]);
                    break;
                case "search":
                    searches = [.. words[1..].Select(w => w == "." ? w : w.TrimEnd('.'))];
                    break;
                case "options":
                    options = [.. words[1..]];
                    break;
            }
        }
        return new ResolvConf(servers, searches, options);
    }

    /// <summary>
    /// What a Pod resolves with, by its DNS policy: ClusterFirst asks the cluster's servers and searches its namespace first;
    /// Default takes the node's; None only what the Pod says. On the node's network ClusterFirst means Default.
    /// </summary>
    public static ResolvConf ForPod(string policy, bool hostNetwork, string podNamespace, ResolvConf node, IReadOnlyList<string> clusterServers, string clusterDomain)
    {
        if (policy == "None")
            return Empty;
        var cluster = policy == "ClusterFirstWithHostNet" || (policy is "ClusterFirst" or "" && !hostNetwork);
        if (!cluster || clusterServers.Count == 0)
            return node.Bounded();
        List<string> searches = clusterDomain.Length == 0 ? [] : [$"{podNamespace}.svc.{clusterDomain}", $"svc.{clusterDomain}", clusterDomain];
        return new ResolvConf(clusterServers, [.. searches.Union(node.Searches, StringComparer.Ordinal)], ["ndots:5"]).Bounded();
    }

    /// <summary>Adds a Pod's own dnsConfig: servers and searches after the policy's, options by name over the policy's.</summary>
    public ResolvConf With(IEnumerable<string> servers, IEnumerable<string> searches, IEnumerable<(string Name, string? Value)> options)
    {
        var merged = Options.Select(o => (Name: o.Split(':')[0], Text: o)).ToList();
        foreach (var (name, value) in options)
        {
            merged.RemoveAll(o => o.Name == name);
            merged.Add((name, string.IsNullOrEmpty(value) ? name : $"{name}:{value}"));
        }
        return new ResolvConf(
            [.. Servers.Union(servers, StringComparer.Ordinal)], [.. Searches.Union(searches, StringComparer.Ordinal)], [.. merged.Select(o => o.Text)]).Bounded();
    }

    private ResolvConf Bounded()
    {
        var searches = Searches.Take(MaxSearches).ToList();
        while (string.Join(' ', searches).Length > MaxSearchLength)
            searches.RemoveAt(searches.Count - 1);
        return this with { Servers = [.. Servers.Take(MaxServers)], Searches = searches };
    }
}
