using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Drills;

/// <summary>Drills on one cluster. <see cref="All"/> tells which; one at a time.</summary>
public sealed class DrillField
{
    /// <summary>What came back a moment ago may miss a beat on a busy machine.</summary>
    private static readonly TimeSpan _settle = TimeSpan.FromSeconds(30);

    private readonly ClusterModel _cluster;
    private readonly Clinic _clinic;
    private readonly IPower? _power;
    private readonly bool _sharedKernel;

    internal DrillField(ClusterModel cluster, Clinic clinic, IPower? power, bool sharedKernel) => (_cluster, _clinic, _power, _sharedKernel) = (cluster, clinic, power, sharedKernel);

    /// <summary>Every drill that there is, with what is in its way here (null: nothing).</summary>
    public IReadOnlyList<(DrillComponent Component, Manner Manner, string? Obstacle)> All =>
        [.. DrillComponent.All.SelectMany(c => c.Manners.Select(m => (c, m, DrillFault.Obstacle(_cluster.Machines, c, m, _power is not null, _sharedKernel))))];

    /// <summary>That etcd has an even number of members is no illness that hides anything: the tutorial's own drill is the loss of one of two.</summary>
    private async Task<IReadOnlyList<Diagnosis>> ExamineAsync(CancellationToken cancellation)
        => [.. (await _clinic.ExamineAsync(cancellation).ConfigureAwait(false)).Where(d => d.Cause != "two-member-etcd")];

    /// <summary>A cluster that is not healthy is not drilled: nothing could be told from it.</summary>
    public async Task<DrillReport> RunAsync(DrillComponent component, Manner manner, Action<string> say, CancellationToken cancellation)
    {
        await new StepContext(_ => { }, _cluster.Options.Time).WaitAsync(
            "a healthy cluster (no drill without)",
            async token => await ExamineAsync(token).ConfigureAwait(false) is { Count: > 0 } said ? string.Join("; ", said.Select(d => $"{d.Machine} {d.Title} ({d.Evidence})")) : null,
            _settle,
            null,
            cancellation).ConfigureAwait(false);

        return await new DrillRun(_cluster, _power, _sharedKernel, ExamineAsync, say).RunAsync(component, manner, cancellation).ConfigureAwait(false);
    }
}
