using System.Text.Json.Nodes;
using Hardway.Hosting;
using Hardway.Provisioning.Api;
using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Steps;
using Hardway.Provisioning.Verification;

namespace Hardway.Provisioning.Drills;

/// <summary>
/// One drill:
/// <list type="number">
/// <item>reads the live settings, chooses the target, and computes what must follow,</item>
/// <item>starts clients and watches, and waits until all of them succeed,</item>
/// <item>takes the target away, and waits for what must follow, or longer than that,</item>
/// <item>gives it back, whatever happened, and waits until the doctor has nothing to say,</item>
/// <item>proves: no acknowledged write is lost, every one was heard of, never two leaders, everything is back.</item>
/// </list>
/// </summary>
internal sealed class DrillRun(ClusterModel cluster, IPower? power, bool sharedKernel, Func<CancellationToken, Task<IReadOnlyList<Diagnosis>>> doctor, Action<string> say)
{
    private const string _namespace = "hardway-drill";
    private const double _hold = 6;

    private readonly TimeProvider _time = cluster.Options.Time;
    private readonly StepContext _context = new(_ => { }, cluster.Options.Time);

    public async Task<DrillReport> RunAsync(DrillComponent component, Manner manner, CancellationToken cancellation)
    {
        if (DrillFault.Obstacle(cluster.Machines, component, manner, power is not null, sharedKernel) is { } obstacle)
        {
            throw new ComponentException($"drill {component.Name} by {DrillComponent.Word(manner)}: {obstacle}");
        }

        using var api = new ApiConnection(cluster);
        var settings = await LiveSettings.ReadAsync(cluster, api, cancellation).ConfigureAwait(false);
        var target = await new DrillTarget(cluster, api).FindAsync(component, cancellation).ConfigureAwait(false);
        say($"{component.Name} on {target}, by {DrillComponent.Word(manner)}");
        await PrepareAsync(api, component, cancellation).ConfigureAwait(false);
        var fault = new DrillFault(cluster, power, component, manner, target);
        var clock = new DrillClock(_time);
        var clients = new DrillClients(cluster, clock, _namespace);
        try
        {
            await fault.PrepareAsync(_context, cancellation).ConfigureAwait(false);
            return await RunAsync(component, manner, target, fault, settings, api, clock, clients, cancellation).ConfigureAwait(false);
        }
        finally
        {
            await fault.RestoreAsync(CancellationToken.None).ConfigureAwait(false);
            await clients.DisposeAsync().ConfigureAwait(false);
            // The load balancer may cut this connection, too, while a server comes back.
            await _context.WaitAsync(
                "the drill's namespace to be deleted",
                async token =>
                {
                    await api.DeleteAsync($"/api/v1/namespaces/{_namespace}", token).ConfigureAwait(false);
                    return null;
                },
                TimeSpan.FromSeconds(20),
                null,
                CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task<DrillReport> RunAsync(
        DrillComponent component, Manner manner, Machine target, DrillFault fault, LiveSettings settings, ApiConnection api, DrillClock clock, DrillClients clients, CancellationToken cancellation)
    {
        clients.Start();
        var watch = new DrillWatch(clock, _time);
        await using var ended = watch.ConfigureAwait(false);
        var sights = new DrillSights(cluster, api, watch, clock, clients, _namespace, component, target);
        await sights.StartAsync(cancellation).ConfigureAwait(false);
        await WarmAsync(clients, cancellation).ConfigureAwait(false);

        var renewed = sights.Holder is null ? null : (double?)(sights.LastRenewal - _time.GetUtcNow()).TotalSeconds;
        var expected = DrillExpectation.Of(component, manner, settings, renewed, _hold);
        clock.Zero();
        try
        {
            await fault.PutInAsync(cancellation).ConfigureAwait(false);
            say($"taken away; {(expected.Milestones.Count > 0 ? $"the last thing to be expected comes after {expected.Milestones.Max(m => m.Latest):0.0} s" : "nothing is to be expected of it")}");
            await ObserveAsync(expected, sights, clock, cancellation).ConfigureAwait(false);
        }
        finally
        {
            await fault.MendAsync(CancellationToken.None).ConfigureAwait(false);
        }

        say("given back");
        await EndAsync(clients, clock, cancellation).ConfigureAwait(false);
        await fault.RestoreAsync(cancellation).ConfigureAwait(false);
        var back = await BackAsync(clock, cancellation).ConfigureAwait(false);
        await watch.StopAsync().ConfigureAwait(false);
        return new DrillReport(
            component.Name, manner, target.HostName, sights.Measured(expected.Milestones), clients.Reports(), expected.Outage, expected.OutageBecause,
            [.. await ProveAsync(api, clients, cancellation).ConfigureAwait(false), .. sights.ProveOneLeader(), back]);
    }

    /// <summary>Until everything that must come has come, or well past the time for it; and in any case as long as an outage may last.</summary>
    private async Task ObserveAsync(DrillExpectation expected, DrillSights sights, DrillClock clock, CancellationToken cancellation)
    {
        var least = expected.UntilMended ? _hold : Math.Max(_hold, expected.Outage + 2);
        var most = Math.Max(least, expected.Milestones.Select(m => m.Latest ?? 0).DefaultIfEmpty(0).Max() + 8);
        await _context.WaitAsync(
            "what must follow",
            _ => Task.FromResult(clock.Now >= most || (clock.Now >= least && sights.HasAll(expected.Milestones)) ? null : "not all of it was seen yet"),
            TimeSpan.FromSeconds(most + 5),
            null,
            cancellation).ConfigureAwait(false);
    }

    private Task WarmAsync(DrillClients clients, CancellationToken cancellation) => _context.WaitAsync(
        "every client to succeed",
        _ => Task.FromResult(clients.Acknowledged.Count >= 5 && clients.Heard.Count >= 5 ? null : $"{clients.Acknowledged.Count} writes, {clients.Heard.Count} heard of; {string.Join("; ", clients.Reports().Select(r => r.FirstError).Where(e => e.Length > 0))}"),
        TimeSpan.FromSeconds(20),
        null,
        cancellation);

    /// <summary>The clients work until all of them succeed again, the watcher until it has heard of everything; what does not come is in the report. Before the doctor, who is work for the machines himself.</summary>
    private async Task EndAsync(DrillClients clients, DrillClock clock, CancellationToken cancellation)
    {
        var mended = clock.Now;
        await UntilAsync(() => clients.HaveAllSucceededSince(mended), TimeSpan.FromSeconds(30), cancellation).ConfigureAwait(false);
        await clients.StopWorkAsync().ConfigureAwait(false);
        await UntilAsync(() => clients.Acknowledged.Except(clients.Heard).FirstOrDefault() is null, TimeSpan.FromSeconds(10), cancellation).ConfigureAwait(false);
        await clients.StopAsync().ConfigureAwait(false);
    }

    private async Task UntilAsync(Func<bool> isSo, TimeSpan limit, CancellationToken cancellation)
    {
        var began = _time.GetTimestamp();
        while (!isSo() && _time.GetElapsedTime(began) < limit)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), _time, cancellation).ConfigureAwait(false);
        }
    }

    private async Task<Proof> BackAsync(DrillClock clock, CancellationToken cancellation)
    {
        const string Claim = "everything is back as it was";
        var began = clock.Now;
        try
        {
            await _context.WaitAsync(
                "everything to be back",
                async token => await doctor(token).ConfigureAwait(false) is { Count: > 0 } said ? string.Join("; ", said.Select(d => $"{d.Machine} {d.Cause}: {d.Evidence}")) : null,
                TimeSpan.FromSeconds(120),
                null,
                cancellation).ConfigureAwait(false);
            return new Proof(Claim, true, $"the doctor has nothing to say {clock.Now - began:0.0} s after it was given back");
        }
        catch (ComponentException e)
        {
            return new Proof(Claim, false, e.Message);
        }
    }

    private async Task<IReadOnlyList<Proof>> ProveAsync(ApiConnection api, DrillClients clients, CancellationToken cancellation)
    {
        JsonNode? list = null;
        await _context.WaitAsync(
            "what was written",
            async token =>
            {
                list = await api.GetAsync($"/api/v1/namespaces/{_namespace}/configmaps?limit=0", token).ConfigureAwait(false);
                return null;
            },
            TimeSpan.FromSeconds(20),
            null,
            cancellation).ConfigureAwait(false);
        var stored = (list?["items"] as JsonArray ?? []).OfType<JsonNode>().Where(i => (string?)i["data"]?["value"] == (string?)i["metadata"]?["name"]).Select(i => (string)i["metadata"]!["name"]!).ToHashSet();
        var lost = clients.Acknowledged.Where(a => !stored.Contains(a)).ToList();
        var unheard = clients.Acknowledged.Where(a => !clients.Heard.Contains(a)).ToList();
        return
        [
            new Proof("no acknowledged write is lost", lost.Count == 0, $"{clients.Acknowledged.Count} acknowledged, {lost.Count} lost{(lost.Count > 0 ? ": " + string.Join(", ", lost.Take(5)) : "")}"),
            new Proof("the watcher heard of every acknowledged write", unheard.Count == 0, $"{clients.Heard.Count} heard of, {unheard.Count} acknowledged and not heard of ten seconds after the last write"),
        ];
    }

    private async Task PrepareAsync(ApiConnection api, DrillComponent component, CancellationToken cancellation)
    {
        const string Path = "/api/v1/namespaces/" + _namespace;
        await _context.WaitAsync(
            $"the namespace {_namespace} of an earlier drill to go",
            async token =>
            {
                if (await api.GetAsync(Path, token).ConfigureAwait(false) is null)
                {
                    return null;
                }

                await api.DeleteAsync(Path, token).ConfigureAwait(false);
                return "it is still there";
            },
            TimeSpan.FromSeconds(60),
            null,
            cancellation).ConfigureAwait(false);
        await api.PostAsync("/api/v1/namespaces", JsonNode.Parse($$$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"{{{_namespace}}}"}}""")!, cancellation).ConfigureAwait(false);
        await _context.WaitAsync(
            "the namespace's service account",
            async token => await api.GetAsync(Path + "/serviceaccounts/default", token).ConfigureAwait(false) is null ? "the controller manager has not made it" : null,
            TimeSpan.FromSeconds(30),
            null,
            cancellation).ConfigureAwait(false);
        if (component.Role == MachineRole.Node)
        {
            foreach (var manifest in WorkloadVerification.Web(_namespace, Math.Min(2, cluster.Machines.Nodes.Count)))
            {
                await api.PostAsync(manifest.Collection, manifest.Body, cancellation).ConfigureAwait(false);
            }

            await _context.WaitAsync(
                "the Pods that get traffic",
                async token => (int?)(await api.GetAsync($"/apis/apps/v1/namespaces/{_namespace}/deployments/web", token).ConfigureAwait(false))?["status"]?["readyReplicas"] == Math.Min(2, cluster.Machines.Nodes.Count) ? null : "not all are ready",
                TimeSpan.FromSeconds(60),
                token => PodCauses.OfAsync(api, _namespace, "app=web", token),
                cancellation).ConfigureAwait(false);
        }
    }
}
