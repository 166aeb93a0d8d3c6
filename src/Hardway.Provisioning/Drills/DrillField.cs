using Hardway.Hosting;
using Hardway.Provisioning.Doctor;

namespace Hardway.Provisioning.Drills;

/// <summary>Drills on one cluster. <see cref="Possible"/> tells which; one at a time.</summary>
public sealed class DrillField
{
    private readonly ClusterModel _cluster;
    private readonly Clinic _clinic;
    private readonly IPower? _power;

    internal DrillField(ClusterModel cluster, Clinic clinic, IPower? power) => (_cluster, _clinic, _power) = (cluster, clinic, power);

    public IEnumerable<(DrillComponent Component, Manner Manner)> Possible => DrillComponent.All
        .SelectMany(c => c.Manners.Select(m => (Component: c, Manner: m)))
        .Where(d => DrillFault.Obstacle(_cluster.Machines, d.Component, d.Manner, _power is not null) is null);

    /// <summary>A cluster that is not healthy is not drilled: nothing could be told from it.</summary>
    public async Task<DrillReport> RunAsync(DrillComponent component, Manner manner, Action<string> say, CancellationToken cancellation)
    {
        if (await _clinic.ExamineAsync(cancellation).ConfigureAwait(false) is { Count: > 0 } said)
        {
            throw new ComponentException("the cluster is not healthy, so no drill: " + string.Join("; ", said.Select(d => $"{d.Machine} {d.Title} ({d.Evidence})")));
        }

        return await new DrillRun(_cluster, _power, _clinic.ExamineAsync, say).RunAsync(component, manner, cancellation).ConfigureAwait(false);
    }
}
