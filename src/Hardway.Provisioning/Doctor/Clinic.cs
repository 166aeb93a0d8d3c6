using Hardway.Provisioning.Faults;

namespace Hardway.Provisioning.Doctor;

/// <summary>A fault as it is told to people.</summary>
public sealed record FaultDescription(string Name, string Title, string Lesson, IReadOnlyList<string> Hints, string? Obstacle);

/// <summary>The doctor and the faults of one cluster.</summary>
public sealed class Clinic
{
    private readonly ClusterModel _cluster;
    private readonly bool _sharedKernel;
    private readonly IReadOnlyDictionary<string, string> _silent;

    /// <param name="cluster">Whose.</param>
    /// <param name="sharedKernel">Whether the machines have this host's kernel, so that its clock and swap are not theirs.</param>
    /// <param name="silent">Machines that do not answer, and why.</param>
    internal Clinic(ClusterModel cluster, bool sharedKernel, IReadOnlyDictionary<string, string> silent)
        => (_cluster, _sharedKernel, _silent) = (cluster, sharedKernel, silent);

    public IReadOnlyList<FaultDescription> Faults =>
        [.. FaultTable.All.Select(f => new FaultDescription(f.Name, f.Title, f.Lesson, f.Hints, f.Obstacle(_cluster.Machines, _sharedKernel)))];

    public async Task<IReadOnlyList<Diagnosis>> ExamineAsync(CancellationToken cancellation)
        => Physician.Diagnose(await Examination.TakeAsync(_cluster, _silent, cancellation).ConfigureAwait(false));

    public async Task PutInAsync(string name, CancellationToken cancellation)
    {
        var fault = FaultTable.Find(name);
        if (fault.Obstacle(_cluster.Machines, _sharedKernel) is { } obstacle)
        {
            throw new Hosting.ComponentException($"{name} cannot be put into this cluster: {obstacle}");
        }

        using var context = new FaultContext(_cluster);
        await fault.PutInAsync(context, cancellation).ConfigureAwait(false);
    }

    public async Task TakeOutAsync(string name, CancellationToken cancellation)
    {
        using var context = new FaultContext(_cluster);
        await FaultTable.Find(name).TakeOutAsync(context, cancellation).ConfigureAwait(false);
    }

    public Task<IReadOnlyList<MatrixLine>> MatrixAsync(IReadOnlyList<string> names, Action<MatrixLine> observer, CancellationToken cancellation)
        => new DoctorMatrix(_cluster, ExamineAsync).RunAsync(names.Count == 0 ? FaultTable.All : [.. names.Select(FaultTable.Find)], _sharedKernel, observer, cancellation);
}
