using System.Text.Json.Nodes;
using Hardway.Hosting;
using Hardway.Provisioning.Api;
using Hardway.Provisioning.ControlPlane;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Drills;

/// <summary>What is looked at during a drill, by what it is about: who holds the Lease and acts, who leads etcd, what the load balancer thinks, whether the node is Ready.</summary>
internal sealed class DrillSights(
    ClusterModel cluster, ApiConnection api, DrillWatch watch, DrillClock clock, DrillClients clients, string ns, DrillComponent component, Machine target)
{
    private readonly Dictionary<string, Task<double?>> _first = [];
    private List<LeaseSight> _lease = [];
    private double? _firstAct;

    /// <summary>Who held the Lease when the drill began; null for what is not elected.</summary>
    public string? Holder { get; private set; }

    public DateTimeOffset LastRenewal
    {
        get
        {
            lock (_lease)
            {
                return _lease.Count > 0 ? _lease[^1].Renewed : default;
            }
        }
    }

    public async Task StartAsync(CancellationToken cancellation)
    {
        if (component.Lease is { } lease)
        {
            Holder = (await LeaseState.ReadAsync(api, lease, cancellation).ConfigureAwait(false))?.Holder;
            _lease = watch.Lease(cluster, lease);
            clients.Add("acts of the " + component.Unit, component.Unit == "kube-scheduler" ? SchedulesAsync : ObservesAsync);
        }

        if (component.Name is "etcd-leader" or "server")
        {
            // The others are asked, not the one that was taken away: it may keep whoever asks waiting.
            _first[DrillExpectation.NewEtcdLeader] = watch.FirstAsync(async token =>
                (await Task.WhenAll(cluster.Machines.Servers.Where(s => s != target).Select(s => EtcdStatus.ReadAsync(cluster, s, token))).ConfigureAwait(false)).Any(s => s.IsLeader));
        }

        if (component.Name is "api-server" or "server" && cluster.Machines.LoadBalancer is { } balancer)
        {
            _first[DrillExpectation.BackendDown] = watch.FirstAsync(async token =>
                (await BackendStatus.ReadAsync(cluster, balancer, token).ConfigureAwait(false)).Any(b => b.Name == target.HostName && b.Status.StartsWith("DOWN", StringComparison.Ordinal)));
        }

        if (component.Role == MachineRole.Node)
        {
            await NodeAsync(cancellation).ConfigureAwait(false);
        }
    }

    public bool HasAll(IReadOnlyList<Milestone> milestones) => milestones.All(m => m.Measured is not null || Measure(m.Name) is not null);

    public IReadOnlyList<Milestone> Measured(IReadOnlyList<Milestone> milestones) => [.. milestones.Select(m => m with { Measured = m.Measured ?? Measure(m.Name) })];

    /// <summary>A holder's renewals must end before the next one's begin.</summary>
    public IReadOnlyList<Proof> ProveOneLeader()
    {
        if (Holder is null)
        {
            return [];
        }

        List<LeaseSight> sights;
        lock (_lease)
        {
            sights = [.. _lease];
        }

        var holders = new List<string>();
        foreach (var sight in sights.Where(s => s.Holder.Length > 0 && s.Holder != holders.LastOrDefault()))
        {
            holders.Add(sight.Holder);
        }

        return [new Proof("never two leaders acted", holders.Distinct().Count() == holders.Count, $"{sights.Count} looks at the Lease: {string.Join(", then ", holders)}")];
    }

    private double? Measure(string name)
    {
        if (name == DrillExpectation.Acquired)
        {
            lock (_lease)
            {
                return _lease.FirstOrDefault(s => s.At > 0 && s.Holder != Holder && s.Holder.Length > 0)?.At;
            }
        }

        return name == DrillExpectation.FirstAct ? FirstActOfTheNext()
            : _first.TryGetValue(name, out var task) && task.IsCompletedSuccessfully ? task.Result : null;
    }

    private double? FirstActOfTheNext() => Measure(DrillExpectation.Acquired) is { } acquired && _firstAct is { } act && act >= acquired - 0.3 ? act : null;

    private async Task NodeAsync(CancellationToken cancellation)
    {
        _first[DrillExpectation.NodeNotReady] = watch.FirstAsync(async token => await NodeReadiness.OfAsync(api, target.HostName, token).ConfigureAwait(false) is { } problem
            && !problem.StartsWith("GET ", StringComparison.Ordinal));
        _first[DrillExpectation.EndpointsUpdated] = watch.FirstAsync(async token =>
        {
            var slices = await api.GetAsync($"/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices", token).ConfigureAwait(false);
            var here = (slices?["items"] as JsonArray ?? []).SelectMany(s => s?["endpoints"] as JsonArray ?? []).Where(e => (string?)e?["nodeName"] == target.HostName);
            return here.All(e => (bool?)e?["conditions"]?["ready"] != true);
        });
        if (cluster.Machines.Nodes.FirstOrDefault(n => n != target) is { } other)
        {
            var service = await api.GetAsync($"/api/v1/namespaces/{ns}/services/web", cancellation).ConfigureAwait(false);
            var url = new Uri($"http://{other.Address}:{(int?)service?["spec"]?["ports"]?[0]?["nodePort"] ?? 0}/");
            clients.Add("traffic", async (_, token) =>
            {
                // A new connection each time, as from many users.
                using var handler = new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(1), PooledConnectionLifetime = TimeSpan.Zero };
                using var http = new HttpClient(handler);
                using var answer = await http.GetAsync(url, token).ConfigureAwait(false);
                answer.EnsureSuccessStatusCode();
            });
        }
    }

    /// <summary>A Pod that is given a node is an act of the scheduler.</summary>
    private Task SchedulesAsync(ApiConnection connection, CancellationToken cancellation) => ActAsync(
        connection,
        $"/api/v1/namespaces/{ns}/pods",
        """{"apiVersion":"v1","kind":"Pod","metadata":{"name":"NAME"},"spec":{"terminationGracePeriodSeconds":0,"containers":[{"name":"pause","image":"registry.k8s.io/pause:3.10","imagePullPolicy":"Never"}]}}""",
        o => o["spec"]?["nodeName"] is not null,
        cancellation);

    /// <summary>A ReplicaSet that is observed is an act of the controller manager.</summary>
    private Task ObservesAsync(ApiConnection connection, CancellationToken cancellation) => ActAsync(
        connection,
        $"/apis/apps/v1/namespaces/{ns}/replicasets",
        """{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"NAME"},"spec":{"replicas":0,"selector":{"matchLabels":{"app":"NAME"}},"template":{"metadata":{"labels":{"app":"NAME"}},"spec":{"containers":[{"name":"pause","image":"registry.k8s.io/pause:3.10"}]}}}}""",
        o => (long?)o["status"]?["observedGeneration"] >= 1,
        cancellation);

    private async Task ActAsync(ApiConnection connection, string collection, string body, Func<JsonNode, bool> isDone, CancellationToken cancellation)
    {
        var name = "act-" + Guid.NewGuid().ToString("N")[..10];
        await connection.PostAsync(collection, JsonNode.Parse(body.Replace("NAME", name, StringComparison.Ordinal))!, cancellation).ConfigureAwait(false);
        try
        {
            while (await connection.GetAsync($"{collection}/{name}", cancellation).ConfigureAwait(false) is not { } seen || !isDone(seen))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), cluster.Options.Time, cancellation).ConfigureAwait(false);
            }

            if (clock.Now > 0 && _firstAct is null && Measure(DrillExpectation.Acquired) is not null)
            {
                _firstAct = clock.Now;
            }
        }
        finally
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            try
            {
                await connection.DeleteAsync($"{collection}/{name}", limit.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is ComponentException or OperationCanceledException)
            {
                // The namespace goes at the end, with all that is left in it.
            }
        }
    }
}
