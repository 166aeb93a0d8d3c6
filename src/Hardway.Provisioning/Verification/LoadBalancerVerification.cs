using Hardway.Hosting;
using Hardway.Provisioning.ControlPlane;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Verification;

/// <summary>
/// The load balancer's own view of its backends, proven: one API server is stopped, must be seen as down while the API goes on answering, is started again, and must be
/// seen as up. The server is started whatever happens.
/// </summary>
internal sealed class LoadBalancerVerification(ClusterModel cluster, Machine balancer, VerificationRun run)
{
    private readonly TimeProvider _time = cluster.Options.Time;

    public async Task RunAsync()
    {
        var seen = await run.LookAsync(Module.HighAvailability, $"backends of {balancer}", $"HAProxy sees {cluster.Machines.Servers.Count} backends, all up", async token =>
        {
            var backends = await BackendStatus.ReadAsync(cluster, balancer, token).ConfigureAwait(false);
            return backends.Count == cluster.Machines.Servers.Count && backends.All(b => b.IsUp)
                ? new Sight($"{backends.Count} up", TextTable.Lines([["BACKEND", "STATUS", "CHECK", "CONNECTIONS"], .. backends.Select(b => new[] { b.Name, b.Status, b.Check, $"{b.Sessions}" })]))
                : throw new ComponentException(string.Join(", ", backends.Select(b => $"{b.Name} {b.Status} {b.Check}")));
        }).ConfigureAwait(false);
        if (seen)
        {
            var victim = cluster.Machines.Servers[^1];
            await run.LookAsync(Module.HighAvailability, $"{balancer} without {victim}", $"with its API server stopped, {victim} is down to HAProxy, the API goes on, and {victim} comes back", token => FailAsync(victim, token))
                .ConfigureAwait(false);
        }
    }

    private async Task<Sight> FailAsync(Machine victim, CancellationToken cancellation)
    {
        var ssh = cluster.SshTo(victim);
        var answers = 0;
        string down, up;
        try
        {
            await ssh.RunAsync("verify", "systemctl stop kube-apiserver", cancellation).ConfigureAwait(false);
            down = await SeenAsync(victim, up: false, cancellation).ConfigureAwait(false);
            for (; answers < 6; answers++)
            {
                if (await ApiProbe.ReadyAsync(cluster, balancer, cancellation).ConfigureAwait(false) is { } problem)
                {
                    throw new ComponentException($"with {victim}'s API server stopped, the API through {balancer} fails: {problem}");
                }
            }
        }
        finally
        {
            // Also after an interruption.
            await ssh.RunAsync("verify", "systemctl start --no-block kube-apiserver", CancellationToken.None).ConfigureAwait(false);
        }

        up = await SeenAsync(victim, up: true, cancellation).ConfigureAwait(false);
        return $"down after {down}; {answers} of {answers} new connections served meanwhile; up {up} after its start";
    }

    private async Task<string> SeenAsync(Machine victim, bool up, CancellationToken cancellation)
    {
        var began = _time.GetTimestamp();
        await new StepContext(_ => { }, _time).WaitAsync(
            $"HAProxy to see {victim} {(up ? "up" : "down")}",
            async token =>
            {
                var backend = (await BackendStatus.ReadAsync(cluster, balancer, token).ConfigureAwait(false)).FirstOrDefault(b => b.Name == victim.HostName);
                return backend?.IsUp == up ? null : $"{backend?.Status} {backend?.Check}";
            },
            TimeSpan.FromSeconds(30),
            null,
            cancellation).ConfigureAwait(false);
        return $"{_time.GetElapsedTime(began).TotalSeconds:0.0} s";
    }
}
