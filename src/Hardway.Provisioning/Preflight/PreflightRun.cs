using System.Net.Sockets;
using Hardway.Provisioning.Cluster;
using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Planning;
using Hardway.Provisioning.Ssh;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Preflight;

/// <summary>
/// Looks at the machines before anything is done to them:
/// <list type="number">
/// <item>logs in, with what opens them at first (in a copy of the cluster's directory, so nothing is kept),</item>
/// <item>asks each about itself,</item>
/// <item>listens at the ports that will be needed, and tries each from the peer that needs it,</item>
/// <item>judges.</item>
/// </list>
/// </summary>
internal static class PreflightRun
{
    private const string _step = "preflight";

    public static async Task<IReadOnlyList<PreflightFinding>> RunAsync(ProvisioningOptions options, Action<StepEvent> observer, CancellationToken cancellation)
    {
        var scratch = Directory.CreateTempSubdirectory("hardway-preflight").FullName; // 0700
        try
        {
            Plan.Copy(options.ClusterDirectory, scratch);
            var cluster = new ClusterModel(options with { ClusterDirectory = scratch });
            await using (cluster.ConfigureAwait(false))
            {
                return PreflightChecks.Judge(await LookAsync(cluster, observer, cancellation).ConfigureAwait(false));
            }
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private static async Task<PreflightSights> LookAsync(ClusterModel cluster, Action<StepEvent> observer, CancellationToken cancellation)
    {
        var time = cluster.Options.Time;
        var silent = new Dictionary<Machine, string>();
        var facts = new Dictionary<Machine, MachineFacts>();
        foreach (var (machine, answer, reason) in await Task.WhenAll(cluster.Machines.Machines.Select(AskAsync)).ConfigureAwait(false))
        {
            if (answer is null)
            {
                silent[machine] = reason;
            }
            else
            {
                facts[machine] = answer;
            }
        }

        var needs = PortNeed.Of(cluster.Machines).Where(n => facts.ContainsKey(n.To) && (n.From is null || facts.ContainsKey(n.From))).ToList();
        var (listening, ports) = await PortsAsync(cluster, needs, cancellation).ConfigureAwait(false);
        return new PreflightSights(cluster.Machines)
        {
            Silent = silent,
            Facts = facts,
            Listening = listening,
            Ports = ports,
            Former = File.Exists(cluster.Files.Machines) ? MachineDatabase.Read(cluster.Files.Machines, changing: true) : null,
            Certificates = [.. ClusterCertificates.Of(cluster.Machines).Where(c => File.Exists(cluster.Files.Certificate(c.Name))).Select(c => CertificateInspection.Inspect(c, cluster.Files, time)).OfType<string>()],
        };

        async Task<(Machine Machine, MachineFacts? Facts, string Reason)> AskAsync(Machine machine)
        {
            var began = time.GetTimestamp();
            Tell(StepState.Checking, "logging in");
            var result = await ConnectAsync(new StepContext(d => Tell(StepState.Checking, d), time), cluster, machine, cancellation).ConfigureAwait(false);
            if (result is not null)
            {
                Tell(StepState.Failed, result);
                return (machine, null, result);
            }

            Tell(StepState.Checking, "");
            try
            {
                var found = await Examination.AskAsync(cluster, machine, PreflightQuestions.Render(machine), cancellation).ConfigureAwait(false);
                Tell(StepState.Unchanged, "");
                return (machine, found, "");
            }
            catch (Hosting.ComponentException e)
            {
                Tell(StepState.Failed, e.Message);
                return (machine, null, e.Message);
            }

            void Tell(StepState state, string detail) => observer(new StepEvent(_step, machine.HostName, state, time.GetElapsedTime(began), detail));
        }
    }

    private static async Task<(IReadOnlySet<Machine> Listening, IReadOnlyDictionary<PortNeed, string> Ports)> PortsAsync(ClusterModel cluster, List<PortNeed> needs, CancellationToken cancellation)
    {
        var targets = needs.Select(n => n.To).Distinct().ToList();
        try
        {
            var listening = await Task.WhenAll(targets.Select(async m =>
                (Machine: m, (await cluster.SshTo(m).RunAsync(_step, PreflightQuestions.Listen(PortNeed.PortsOf(needs, m)), cancellation, mayFail: true).ConfigureAwait(false)).Output.Trim() == "listening"))).ConfigureAwait(false);
            var found = await Task.WhenAll(needs.GroupBy(n => n.From).Select(g => g.Key is { } peer ? FromMachineAsync(peer, g) : FromHereAsync(g))).ConfigureAwait(false);
            return (listening.Where(l => l.Item2).Select(l => l.Machine).ToHashSet(), found.SelectMany(f => f).ToDictionary(f => f.Need, f => f.Seen));
        }
        finally
        {
            await Task.WhenAll(targets.Select(m => cluster.SshTo(m).RunAsync(_step, PreflightQuestions.EndListening, CancellationToken.None, mayFail: true))).ConfigureAwait(false);
        }

        async Task<IEnumerable<(PortNeed Need, string Seen)>> FromMachineAsync(Machine peer, IEnumerable<PortNeed> wanted)
        {
            var answer = await cluster.SshTo(peer).RunAsync(_step, PreflightQuestions.Reach(wanted), cancellation, mayFail: true).ConfigureAwait(false);
            var seen = answer.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(' ')).Where(w => w.Length == 3).ToDictionary(w => $"{w[0]} {w[1]}", w => w[2]);
            return wanted.Where(n => seen.ContainsKey(n.Key)).Select(n => (n, seen[n.Key]));
        }

        async Task<IEnumerable<(PortNeed Need, string Seen)>> FromHereAsync(IEnumerable<PortNeed> wanted)
            => await Task.WhenAll(wanted.Select(async n => (n, await KnockAsync(n, cancellation).ConfigureAwait(false)))).ConfigureAwait(false);
    }

    private static async Task<string> KnockAsync(PortNeed need, CancellationToken cancellation)
    {
        var seen = "silent";
        for (var i = 0; i < PreflightQuestions.Knocks && seen == "silent"; i++)
        {
            seen = await KnockOnceAsync(need, cancellation).ConfigureAwait(false);
        }

        return seen;
    }

    private static async Task<string> KnockOnceAsync(PortNeed need, CancellationToken cancellation)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(2));
        try
        {
            await socket.ConnectAsync(need.Address, limit.Token).ConfigureAwait(false);
            return "open";
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.HostUnreachable or SocketError.TimedOut)
        {
            return "silent";
        }
        catch (SocketException)
        {
            return "refused";
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return "silent";
        }
    }

    /// <summary>Null when the machine took the log-in and runs commands as root; else why not.</summary>
    private static async Task<string?> ConnectAsync(StepContext context, ClusterModel cluster, Machine machine, CancellationToken cancellation)
    {
        var ssh = cluster.SshTo(machine);
        string? refusal = null;
        try
        {
            await context.WaitAsync(
                $"SSH on {machine.Address}",
                async token =>
                {
                    var result = await ssh.ConnectAsync(cluster.SshPaths.Key, cluster.Options.Ssh.FirstKey, token).ConfigureAwait(false);
                    refusal = result.Succeeded ? null : Compute.SshKeyStep.Refusal(cluster, machine, result);
                    return result.Succeeded || refusal is not null ? null : result.Reason;
                },
                cluster.Options.Ssh.Patience,
                null,
                cancellation).ConfigureAwait(false);
        }
        catch (Hosting.ComponentException e)
        {
            return e.Message;
        }

        if (refusal is not null)
        {
            return refusal;
        }

        var who = await ssh.RunAsync(_step, "id -u", cancellation, mayFail: true).ConfigureAwait(false);
        return who.Output.Trim() == "0" ? null : $"no root: {(who.Succeeded ? $"commands run as user id {who.Output.Trim()}" : who.Reason)}";
    }
}
