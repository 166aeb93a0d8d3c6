using System.Text;
using System.Text.Json.Nodes;
using Hardway.Hosting;
using Hardway.Provisioning.Api;
using Hardway.Provisioning.ControlPlane;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Verification;

/// <summary>
/// Looks at a cluster from outside, each thing from the other side, and says what it saw. Checks run in parallel; lines come in the order in which they
/// are known, one at a time. A check that fails does not stop the others.
/// </summary>
internal sealed class Verifier(ClusterModel cluster)
{
    private readonly Lock _lock = new();
    private readonly TimeProvider _time = cluster.Options.Time;

    public async Task<IReadOnlyList<Finding>> RunAsync(Action<Finding> observer, CancellationToken cancellation)
    {
        var findings = new List<Finding>();
        using var api = new ApiConnection(cluster);
        var context = new StepContext(_ => { }, _time);
        List<Task> running =
        [
            Look("etcd members", EtcdMembersAsync),
            .. cluster.Machines.Servers.Select(s => Look($"API server {s.HostName}", t => ReadyAsync(s, t))),
            Look("API through " + cluster.Machines.Endpoint.HostName, t => ReadyAsync(cluster.Machines.Endpoint, t)),
            Look("Lease kube-controller-manager", t => LeaseAsync(api, "kube-controller-manager", t)),
            Look("Lease kube-scheduler", t => LeaseAsync(api, "kube-scheduler", t)),
            Look("nodes", t => NodesAsync(api, t)),
            Look("Secret in etcd", t => SecretAsync(api, t)),
        ];
        var workload = new WorkloadVerification(cluster, api, context, Look);
        running.Add(workload.RunAsync(cancellation));
        await Task.WhenAll(running).ConfigureAwait(false);
        return findings;

        async Task<bool> Look(string subject, Func<CancellationToken, Task<string>> look)
        {
            var began = _time.GetTimestamp();
            Finding finding;
            try
            {
                var seen = await look(cancellation).ConfigureAwait(false);
                finding = new Finding(subject, true, seen, _time.GetElapsedTime(began));
            }
            catch (Exception e) when (e is ComponentException or HttpRequestException or TaskCanceledException or System.Text.Json.JsonException
                && !cancellation.IsCancellationRequested)
            {
                finding = new Finding(subject, false, e is ComponentException ? e.Message : Reasons.Of(e), _time.GetElapsedTime(began));
            }

            lock (_lock)
            {
                findings.Add(finding);
                observer(finding);
            }

            return finding.Good;
        }
    }

    private async Task<string> EtcdMembersAsync(CancellationToken cancellation)
    {
        var first = cluster.Machines.Servers[0];
        var list = await EtcdProbe.PostAsync(cluster, first, "/v3/cluster/member/list", "{}", cancellation).ConfigureAwait(false);
        var members = (list["members"] as JsonArray ?? []).ToDictionary(m => (string)m!["ID"]!, m => (string?)m!["name"] ?? "(not started)");
        var leaders = new HashSet<string>();
        var seen = new List<string>();
        foreach (var server in cluster.Machines.Servers)
        {
            var status = await EtcdProbe.PostAsync(cluster, server, "/v3/maintenance/status", "{}", cancellation).ConfigureAwait(false);
            leaders.Add((string?)status["leader"] ?? "none");
            seen.Add($"{server.HostName} term {status["raftTerm"]} index {status["raftIndex"]}");
        }

        if (members.Count != cluster.Machines.Servers.Count || leaders.Count != 1 || !members.TryGetValue(leaders.Single(), out var leader))
        {
            throw new ComponentException($"{members.Count} members ({string.Join(", ", members.Values)}), leaders seen: {string.Join(", ", leaders)}");
        }

        return $"{members.Count} members, leader {leader}; {string.Join(", ", seen)}";
    }

    private async Task<string> ReadyAsync(Machine machine, CancellationToken cancellation)
        => await ApiProbe.ReadyAsync(cluster, machine, cancellation).ConfigureAwait(false) is { } problem
            ? throw new ComponentException(problem)
            : $"https://{machine.Address}:{ClusterAddresses.ApiPort}/readyz: ok, its certificate is {cluster.EndpointName}'s";

    private async Task<string> LeaseAsync(ApiConnection api, string name, CancellationToken cancellation)
    {
        string holder = "", renewed = "";
        await new StepContext(_ => { }, _time).WaitAsync(
            $"a holder of the Lease {name}",
            async token =>
            {
                var lease = await api.GetAsync($"/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/{name}", token).ConfigureAwait(false);
                holder = (string?)lease?["spec"]?["holderIdentity"] ?? "";
                if (holder.Length == 0 || !DateTimeOffset.TryParse((string?)lease?["spec"]?["renewTime"], out var time))
                {
                    return lease is null ? "no such Lease" : "nobody holds it";
                }

                var age = _time.GetUtcNow() - time;
                renewed = $"{Math.Max(0, age.TotalSeconds):0.0} s ago";
                var duration = (int?)lease?["spec"]?["leaseDurationSeconds"] ?? 15;
                return age.TotalSeconds <= duration ? null : $"held by {holder}, last renewed {renewed}, longer than its {duration} s";
            },
            TimeSpan.FromSeconds(20),
            null,
            cancellation).ConfigureAwait(false);
        return $"held by {holder}, renewed {renewed}";
    }

    private async Task<string> NodesAsync(ApiConnection api, CancellationToken cancellation)
    {
        var seen = new List<string>();
        foreach (var node in cluster.Machines.Nodes)
        {
            if (await NodeReadiness.OfAsync(api, node.HostName, cancellation).ConfigureAwait(false) is { } problem)
            {
                throw new ComponentException($"{node}: {problem}");
            }

            var found = await api.GetAsync($"/api/v1/nodes/{node.HostName}", cancellation).ConfigureAwait(false);
            seen.Add($"{node} Ready ({(string?)found?["status"]?["nodeInfo"]?["kubeletVersion"]}, {(string?)found?["status"]?["nodeInfo"]?["containerRuntimeVersion"]})");
        }

        return string.Join(", ", seen);
    }

    private async Task<string> SecretAsync(ApiConnection api, CancellationToken cancellation)
    {
        const string Collection = "/api/v1/namespaces/default/secrets";
        var name = "hardway-verify-" + Guid.NewGuid().ToString("N")[..8];
        var marker = "plain-" + Guid.NewGuid().ToString("N");
        var body = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Secret",
            ["metadata"] = new JsonObject { ["name"] = name },
            ["stringData"] = new JsonObject { ["marker"] = marker },
        };
        await api.PostAsync(Collection, body, cancellation).ConfigureAwait(false);
        try
        {
            var key = Convert.ToBase64String(Encoding.UTF8.GetBytes($"/registry/secrets/default/{name}"));
            var range = await EtcdProbe.PostAsync(cluster, cluster.Machines.Servers[0], "/v3/kv/range", $$"""{"key":"{{key}}"}""", cancellation).ConfigureAwait(false);
            var stored = Convert.FromBase64String((string?)range["kvs"]?[0]?["value"] ?? throw new ComponentException($"etcd has no /registry/secrets/default/{name}"));
            var text = Encoding.Latin1.GetString(stored);
            var read = await api.GetAsync($"{Collection}/{name}", cancellation).ConfigureAwait(false);
            var back = Encoding.UTF8.GetString(Convert.FromBase64String((string?)read?["data"]?["marker"] ?? ""));
            if (text.Contains(marker, StringComparison.Ordinal) || !text.StartsWith("k8s:enc:", StringComparison.Ordinal))
            {
                throw new ComponentException($"the Secret is readable in etcd: its value begins with \"{Printable(text)}\"");
            }

            return back == marker
                ? $"{stored.Length} bytes that begin with \"{Printable(text)}\", unreadable there, readable through the API"
                : throw new ComponentException("the API does not give back what was stored in the Secret");
        }
        finally
        {
            await api.DeleteAsync($"{Collection}/{name}", CancellationToken.None).ConfigureAwait(false);
        }
    }

    private static string Printable(string text) => string.Concat(text.TakeWhile(c => c is >= ' ' and <= '~').Take(32));
}
