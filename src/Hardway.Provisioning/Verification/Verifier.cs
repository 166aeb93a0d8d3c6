using Hardway.Provisioning.Api;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Verification;

/// <summary>Every verification of the three modules, in parallel. What disturbs (a backend taken away from the load balancer) comes last and alone.</summary>
internal sealed class Verifier(ClusterModel cluster)
{
    public async Task<IReadOnlyList<Finding>> RunAsync(bool thorough, Action<Finding> observer, CancellationToken cancellation)
    {
        var run = new VerificationRun(observer, cluster.Options.Time, cancellation);
        using var api = new ApiConnection(cluster);
        var highAvailability = new HighAvailabilityVerification(cluster, api, run);
        await Task.WhenAll(
            new MachineVerification(cluster, run).RunAsync(),
            highAvailability.RunAsync(),
            new CertificateVerification(cluster, run).RunAsync(),
            new NetworkingVerification(cluster, api, run).RunAsync(),
            new WorkloadVerification(cluster, api, new StepContext(_ => { }, cluster.Options.Time), run).RunAsync(cancellation)).ConfigureAwait(false);
        if (thorough && cluster.Machines is { LoadBalancer: { } balancer, Servers.Count: > 1 })
        {
            await new LoadBalancerVerification(cluster, balancer, run).RunAsync().ConfigureAwait(false);
        }

        return run.Findings;
    }
}
