using Hardway.Hosting;
using Hardway.Provisioning.Faults;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Doctor;

/// <summary>One line of the matrix: a fault that was put in, and what the doctor said. <see cref="Named"/>: the right cause, on the right machine or everywhere.</summary>
public sealed record MatrixLine(string Fault, string Title, bool Named, IReadOnlyList<Diagnosis> Said, TimeSpan Asked, string Note)
{
    /// <summary>What was said beside the right cause.</summary>
    public IReadOnlyList<string> Others => [.. Said.Select(d => d.Cause).Distinct().Where(c => c != Fault)];
}

/// <summary>Puts in every fault, one after the other, asks the doctor, takes it out, and waits until the doctor has nothing to say.</summary>
internal sealed class DoctorMatrix(ClusterModel cluster, Func<CancellationToken, Task<IReadOnlyList<Diagnosis>>> ask)
{
    private static readonly TimeSpan _settle = TimeSpan.FromSeconds(20);

    private readonly TimeProvider _time = cluster.Options.Time;

    public async Task<IReadOnlyList<MatrixLine>> RunAsync(IReadOnlyList<Fault> faults, bool sharedKernel, Action<MatrixLine> observer, CancellationToken cancellation)
    {
        var lines = new List<MatrixLine>();
        Add(await HealthyAsync(cancellation).ConfigureAwait(false));
        foreach (var fault in faults)
        {
            Add(fault.Obstacle(cluster.Machines, sharedKernel) is { } obstacle
                ? new MatrixLine(fault.Name, fault.Title, false, [], TimeSpan.Zero, obstacle)
                : await TryAsync(fault, cancellation).ConfigureAwait(false));
        }

        return lines;

        void Add(MatrixLine line)
        {
            lines.Add(line);
            observer(line);
        }
    }

    private async Task<MatrixLine> HealthyAsync(CancellationToken cancellation)
    {
        var began = _time.GetTimestamp();
        var said = await ask(cancellation).ConfigureAwait(false);
        return new MatrixLine("", "nothing: a healthy cluster", said.Count == 0, said, _time.GetElapsedTime(began), "");
    }

    private async Task<MatrixLine> TryAsync(Fault fault, CancellationToken cancellation)
    {
        using var context = new FaultContext(cluster);
        MatrixLine line;
        try
        {
            await fault.PutInAsync(context, cancellation).ConfigureAwait(false);
            var began = _time.GetTimestamp();
            var said = await ask(cancellation).ConfigureAwait(false);
            var asked = _time.GetElapsedTime(began);
            // A program that was started again with the fault takes a moment to show it, and is missed meanwhile.
            while (said.Any(d => d.Cause != fault.Name) || said.Count == 0)
            {
                if (_time.GetElapsedTime(began) > _settle)
                {
                    break;
                }

                said = await ask(cancellation).ConfigureAwait(false);
            }

            line = new MatrixLine(fault.Name, fault.Title, said.Any(d => d.Cause == fault.Name), said, asked, "");
        }
        finally
        {
            await fault.TakeOutAsync(context, CancellationToken.None).ConfigureAwait(false);
        }

        try
        {
            await new StepContext(_ => { }, _time).WaitAsync(
                $"the doctor to have nothing to say after {fault.Name}",
                async token => await ask(token).ConfigureAwait(false) is { Count: > 0 } left ? string.Join("; ", left.Select(d => $"{d.Cause} on {d.Machine}: {d.Evidence}")) : null,
                TimeSpan.FromSeconds(90),
                null,
                cancellation).ConfigureAwait(false);
        }
        catch (ComponentException e)
        {
            return line with { Named = false, Note = e.Message };
        }

        return line;
    }
}
