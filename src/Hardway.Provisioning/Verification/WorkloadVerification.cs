using System.Text.Json.Nodes;
using Hardway.Hosting;
using Hardway.Provisioning.Addons;
using Hardway.Provisioning.Api;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Verification;

/// <summary>
/// Runs a small application and reaches it every way: a Deployment of two nginx on different nodes, and a busybox that asks. All in a namespace of
/// its own, removed at the end.
/// </summary>
internal sealed class WorkloadVerification(
    ClusterModel cluster, ApiConnection api, StepContext context, VerificationRun run)
{
    private const string _namespace = "hardway-verify";
    private const string _pods = $"/api/v1/namespaces/{_namespace}/pods";

    private int WebPods => Math.Min(2, cluster.Machines.Nodes.Count);

    public async Task RunAsync(CancellationToken cancellation)
    {
        List<JsonNode> web = [];
        JsonNode? client = null, service = null;
        try
        {
            var ready = await LookAsync($"Deployment of {WebPods} nginx", $"{WebPods} Pods are Ready, on different nodes", async token =>
            {
                await CreateAsync(token).ConfigureAwait(false);
                web = await ReadyPodsAsync("app=web", WebPods, token).ConfigureAwait(false);
                client = (await ReadyPodsAsync("app=client", 1, token).ConfigureAwait(false))[0];
                service = await api.GetAsync($"/api/v1/namespaces/{_namespace}/services/web", token).ConfigureAwait(false);
                var places = web.Select(p => (string?)p["spec"]?["nodeName"]).ToList();
                return places.Distinct().Count() == WebPods
                    ? string.Join(", ", web.Select(p => $"{Ip(p)} on {(string?)p["spec"]?["nodeName"]}"))
                    : throw new ComponentException($"all Pods are on {places[0]}");
            }).ConfigureAwait(false);
            if (ready)
            {
                await ReachAsync(web, client!, service!).ConfigureAwait(false);
            }
        }
        finally
        {
            await LookAsync("cleaning up", "nothing of the verification stays", async _ =>
            {
                await RemoveAsync().ConfigureAwait(false);
                return $"namespace {_namespace} is going, with all that was in it";
            }).ConfigureAwait(false);
        }
    }

    private async Task ReachAsync(List<JsonNode> web, JsonNode client, JsonNode service)
    {
        var name = (string)client["metadata"]!["name"]!;
        var from = (string?)client["spec"]?["nodeName"];
        var clusterIp = (string?)service["spec"]?["clusterIP"];
        var nodePort = (int?)service["spec"]?["ports"]?[0]?["nodePort"] ?? 0;
        var other = web.FirstOrDefault(p => (string?)p["spec"]?["nodeName"] != from) ?? web[0];

        var exec = await LookAsync("exec", "a command in a container says the Pod's name", async token =>
        {
            var host = (await api.ExecAsync(_namespace, name, ["hostname"], token).ConfigureAwait(false)).Trim();
            return host == name ? $"hostname in {name}: {host}" : throw new ComponentException($"hostname in {name} says \"{host}\"");
        }).ConfigureAwait(false);
        List<Task> looks =
        [
            LookAsync("logs", "a container's lines come through the API", token => LogsAsync(web[0], token)),
            .. cluster.Machines.Machines.Where(m => m.Role != MachineRole.LoadBalancer).SelectMany(m => web.Where(p => (string?)p["spec"]?["nodeName"] != m.HostName).Select(p => LookAsync(
                $"packets from {m} to {(string?)p["spec"]?["nodeName"]}",
                m.PodSubnet is null ? $"a Pod of {(string?)p["spec"]?["nodeName"]} answers {m}" : $"a Pod of {(string?)p["spec"]?["nodeName"]} answers an address of {m.PodSubnet}",
                token => PacketAsync(m, Ip(p)!, token)))),
            .. cluster.Machines.Nodes.Select(n => LookAsync($"NodePort {nodePort} on {n}", "nginx answers from outside the cluster", token => NodePortAsync(n, nodePort, token))),
        ];
        if (exec)
        {
            looks.Add(LookAsync("Pod to Pod", "nginx on the other node answers a Pod", token => FetchAsync(name, $"http://{Ip(other)}/", $"{Ip(client)} on {from} to {Ip(other)} on {(string?)other["spec"]?["nodeName"]}", token)));
            looks.Add(LookAsync("ClusterIP", "nginx answers at the Service's address", token => FetchAsync(name, $"http://{clusterIp}/", $"http://{clusterIp}", token)));
            looks.Add(LookAsync("DNS name", "nginx answers at the Service's name", token => FetchAsync(
                name, $"http://web.{_namespace}.svc.{ClusterAddresses.ClusterDomain}/", $"http://web.{_namespace}.svc.{ClusterAddresses.ClusterDomain}", token)));
        }

        await Task.WhenAll(looks).ConfigureAwait(false);
    }

    private Task<bool> LookAsync(string subject, string expected, Func<CancellationToken, Task<string>> look)
        => run.LookAsync(Module.Networking, subject, expected, async token => await look(token).ConfigureAwait(false));

    /// <summary>From a node's own Pod subnet (its bridge's address), so that the answer needs the route back as well.</summary>
    private async Task<string> PacketAsync(Machine from, string to, CancellationToken cancellation)
    {
        var result = await cluster.SshTo(from).RunAsync(
            "verify",
            $$"""
            s=$(ip -4 -o address show dev cni0 2>/dev/null | sed -n 's/.*inet \([0-9.]*\).*/\1/p')
            echo "${s:-{{from.Address}}} $(ping -n -c 1 -W 3 ${s:+-I $s} {{to}} | sed -n 's/.*\(ttl=.*\)/\1/p')"
            """,
            cancellation,
            mayFail: true).ConfigureAwait(false);
        var seen = result.Output.Trim().Split(' ', 2);
        return seen.Length == 2 && seen[1].StartsWith("ttl=", StringComparison.Ordinal)
            ? $"{seen[0]} to {to}: {seen[1]}"
            : throw new ComponentException($"no answer to a packet from {seen[0]} to {to}");
    }

    /// <summary>A packet filter or a name server may be a moment behind the API: asked until it answers, for a few seconds.</summary>
    private async Task<string> FetchAsync(string pod, string url, string what, CancellationToken cancellation)
    {
        await context.WaitAsync(
            what,
            async token =>
            {
                try
                {
                    var page = await api.ExecAsync(_namespace, pod, ["timeout", "3", "wget", "-q", "-O", "-", url], token).ConfigureAwait(false);
                    return IsPage(page) ? null : $"an unexpected answer of {page.Length} bytes";
                }
                catch (ComponentException e)
                {
                    return e.Message;
                }
            },
            TimeSpan.FromSeconds(10),
            null,
            cancellation).ConfigureAwait(false);
        return $"{what}: nginx answers";
    }

    private async Task<string> NodePortAsync(Machine node, int port, CancellationToken cancellation)
    {
        await context.WaitAsync(
            $"http://{node.Address}:{port}",
            async token =>
            {
                using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(3), MaxResponseContentBufferSize = 1 << 20 };
                try
                {
                    var page = await http.GetStringAsync(new Uri($"http://{node.Address}:{port}/"), token).ConfigureAwait(false);
                    return IsPage(page) ? null : $"an unexpected answer of {page.Length} bytes";
                }
                catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !token.IsCancellationRequested)
                {
                    return Reasons.Of(e);
                }
            },
            TimeSpan.FromSeconds(10),
            null,
            cancellation).ConfigureAwait(false);
        return $"http://{node.Address}:{port}: nginx answers";
    }

    private async Task<string> LogsAsync(JsonNode pod, CancellationToken cancellation)
    {
        var name = (string)pod["metadata"]!["name"]!;
        var lines = "";
        await context.WaitAsync(
            $"a line in the log of {name}",
            async token =>
            {
                lines = await api.GetTextAsync($"{_pods}/{name}/log?tailLines=5", token).ConfigureAwait(false);
                return lines.Trim().Length > 0 ? null : "the log is empty";
            },
            TimeSpan.FromSeconds(10),
            null,
            cancellation).ConfigureAwait(false);
        var last = lines.Trim().Split('\n')[^1];
        return $"of {name}: {(last.Length > 100 ? last[..100] + "..." : last)}";
    }

    private async Task<List<JsonNode>> ReadyPodsAsync(string selector, int count, CancellationToken cancellation)
    {
        List<JsonNode> ready = [];
        await context.WaitAsync(
            $"{count} Pods of {selector}",
            async token =>
            {
                var list = await api.GetAsync($"{_pods}?labelSelector={Uri.EscapeDataString(selector)}", token).ConfigureAwait(false);
                ready = [.. (list?["items"] as JsonArray ?? []).OfType<JsonNode>().Where(p => PodCauses.IsReady(p) && p["metadata"]?["deletionTimestamp"] is null)];
                return ready.Count >= count ? null : $"{ready.Count} of {count} ready";
            },
            TimeSpan.FromSeconds(60),
            token => PodCauses.OfAsync(api, _namespace, selector, token),
            cancellation).ConfigureAwait(false);
        return ready;
    }

    private async Task CreateAsync(CancellationToken cancellation)
    {
        await RemoveAsync().ConfigureAwait(false);
        await context.WaitAsync(
            $"the namespace {_namespace} of an earlier run to go",
            async token => await api.GetAsync($"/api/v1/namespaces/{_namespace}", token).ConfigureAwait(false) is null ? null : "it is still there",
            TimeSpan.FromSeconds(30),
            null,
            cancellation).ConfigureAwait(false);
        await api.PostAsync("/api/v1/namespaces", Body("v1", "Namespace", _namespace, ""), cancellation).ConfigureAwait(false);
        await context.WaitAsync(
            $"the service account {_namespace}/default, which Pods run as",
            async token => await api.GetAsync($"/api/v1/namespaces/{_namespace}/serviceaccounts/default", token).ConfigureAwait(false) is not null
                ? null
                : "the controller manager has not made it",
            TimeSpan.FromSeconds(30),
            null,
            cancellation).ConfigureAwait(false);
        foreach (var manifest in Objects())
        {
            await api.PostAsync(manifest.Collection, manifest.Body, cancellation).ConfigureAwait(false);
        }
    }

    private async Task RemoveAsync()
    {
        // Own deadline: also after an interruption nothing may be left.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        if (await api.GetAsync($"/api/v1/namespaces/{_namespace}", limit.Token).ConfigureAwait(false) is not null)
        {
            await api.DeleteAsync($"/api/v1/namespaces/{_namespace}", limit.Token).ConfigureAwait(false);
        }
    }

    /// <summary>A Deployment of nginx on different nodes, and a NodePort Service in front.</summary>
    internal static IEnumerable<Manifest> Web(string ns, int replicas)
    {
        yield return Manifest.Of($"/apis/apps/v1/namespaces/{ns}/deployments", $$"""
            {
              "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web", "namespace": "{{ns}}" },
              "spec": {
                "replicas": {{replicas}},
                "selector": { "matchLabels": { "app": "web" } },
                "template": {
                  "metadata": { "labels": { "app": "web" } },
                  "spec": {
                    "affinity": { "podAntiAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": [
                      { "topologyKey": "kubernetes.io/hostname", "labelSelector": { "matchLabels": { "app": "web" } } } ] } },
                    "terminationGracePeriodSeconds": 1,
                    "containers": [ { "name": "nginx", "image": "nginx:1.22", "imagePullPolicy": "IfNotPresent", "ports": [ { "containerPort": 80 } ] } ]
                  }
                }
              }
            }
            """);
        yield return Manifest.Of($"/api/v1/namespaces/{ns}/services", $$"""
            {
              "apiVersion": "v1", "kind": "Service", "metadata": { "name": "web", "namespace": "{{ns}}" },
              "spec": { "type": "NodePort", "selector": { "app": "web" }, "ports": [ { "port": 80, "targetPort": 80, "protocol": "TCP" } ] }
            }
            """);
    }

    private IEnumerable<Manifest> Objects()
    {
        foreach (var manifest in Web(_namespace, WebPods))
        {
            yield return manifest;
        }

        yield return Manifest.Of(_pods, $$"""
            {
              "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "client", "namespace": "{{_namespace}}", "labels": { "app": "client" } },
              "spec": {
                "terminationGracePeriodSeconds": 0,
                "containers": [ { "name": "busybox", "image": "busybox:1.36", "imagePullPolicy": "IfNotPresent", "command": ["sleep", "3600"] } ]
              }
            }
            """);
    }

    private static JsonObject Body(string version, string kind, string name, string ns)
    {
        var metadata = new JsonObject { ["name"] = name };
        if (ns.Length > 0)
        {
            metadata["namespace"] = ns;
        }

        return new JsonObject { ["apiVersion"] = version, ["kind"] = kind, ["metadata"] = metadata };
    }

    private static bool IsPage(string page) => page.Contains("nginx", StringComparison.OrdinalIgnoreCase);

    private static string? Ip(JsonNode pod) => (string?)pod["status"]?["podIP"];
}
