using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

/// <summary>
/// One thing that goes wrong with clusters: how it is told (<see cref="Diagnose"/>, which the doctor asks of every fault), and, for a learner to find, how it is put
/// into a healthy cluster and taken out again. Diagnose reads what was seen and does nothing; it must be silent on a healthy cluster. Putting in keeps what it
/// changes (<see cref="FaultContext"/>), so taking out works after any interruption.
/// </summary>
internal abstract class Fault(string name, string title)
{
    public string Name => name;

    /// <summary>What is wrong, in one line.</summary>
    public string Title => title;

    /// <summary>What it does to a cluster and why, for the debrief.</summary>
    public abstract string Lesson { get; }

    /// <summary>From vague to plain.</summary>
    public abstract IReadOnlyList<string> Hints { get; }

    /// <summary>Names of causes that this one brings about on the same machine, so that they are not told beside it.</summary>
    public virtual IReadOnlyList<string> Explains => [];

    /// <summary>Why it cannot be put into this cluster; null when it can.</summary>
    public virtual string? Obstacle(MachineDatabase machines, bool sharedKernel) => null;

    public abstract IEnumerable<Diagnosis> Diagnose(Examination examination);

    public abstract Task PutInAsync(FaultContext context, CancellationToken cancellation);

    public abstract Task TakeOutAsync(FaultContext context, CancellationToken cancellation);

    protected Diagnosis Found(Machine? machine, string evidence, string fix) => new(Name, machine?.HostName ?? "", Title, evidence, fix);
}

/// <summary>A fault of one machine, made by one bash script there. Files named by <see cref="Keeps"/> are put back, then <see cref="TakeOut"/> runs.</summary>
internal abstract class MachineFault(string name, string title) : Fault(name, title)
{
    /// <summary>Files that the script changes or removes.</summary>
    protected virtual IReadOnlyList<string> Keeps => [];

    public override async Task PutInAsync(FaultContext context, CancellationToken cancellation)
    {
        var machine = Target(context.Cluster.Machines);
        await context.KeepAsync(this, machine, Keeps, cancellation).ConfigureAwait(false);
        await context.WriteAsync(machine, Files(context.Cluster), cancellation).ConfigureAwait(false);
        await context.RunAsync(machine, PutIn(context.Cluster), cancellation).ConfigureAwait(false);
    }

    public override async Task TakeOutAsync(FaultContext context, CancellationToken cancellation)
    {
        var machine = Target(context.Cluster.Machines);
        await context.RestoreAsync(this, machine, cancellation).ConfigureAwait(false);
        await context.RunAsync(machine, TakeOut(context.Cluster), cancellation).ConfigureAwait(false);
    }

    protected abstract Machine Target(MachineDatabase machines);

    protected abstract string PutIn(ClusterModel cluster);

    protected abstract string TakeOut(ClusterModel cluster);

    /// <summary>Files to write before the script runs; they travel by the input and not as an argument.</summary>
    protected virtual IReadOnlyList<(string Path, string Text, string Mode)> Files(ClusterModel cluster) => [];
}
