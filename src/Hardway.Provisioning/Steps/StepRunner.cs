namespace Hardway.Provisioning.Steps;

/// <summary>How one step ended.</summary>
public sealed record StepResult(string Step, string Machine, StepState State, TimeSpan Elapsed, string Detail)
{
    /// <summary>What the verification saw.</summary>
    public string Seen { get; init; } = "";

    /// <summary>What the check found missing, and so what was made or changed.</summary>
    public IReadOnlyList<StepItem> Changes { get; init; } = [];
}

/// <summary>How a run ended.</summary>
public sealed record StepReport(IReadOnlyList<StepResult> Results, TimeSpan Elapsed)
{
    public int Changed => Results.Count(r => r.State == StepState.Changed);

    public int Unchanged => Results.Count(r => r.State == StepState.Unchanged);

    public IReadOnlyList<StepResult> Failures => [.. Results.Where(r => r.State == StepState.Failed)];

    public bool Succeeded => Results.All(r => r.State is StepState.Changed or StepState.Unchanged);
}

/// <summary>
/// Runs a graph: every step as soon as what it depends on is done, so machines go in parallel. A step that fails blocks those that depend on
/// it; the others go on, so that one run shows everything that is wrong. Events come from several tasks, one at a time.
/// </summary>
public sealed class StepRunner(StepGraph graph, Action<StepEvent> observer, TimeProvider time)
{
    private readonly Lock _lock = new();

    public async Task<StepReport> RunAsync(CancellationToken cancellation)
    {
        var began = time.GetTimestamp();
        var running = new Dictionary<Step, Task<StepResult>>();
        foreach (var step in graph.Steps)
        {
            _ = StartOf(step);
        }

        var results = await Task.WhenAll(graph.Steps.Select(s => running[s])).ConfigureAwait(false);
        cancellation.ThrowIfCancellationRequested();
        return new StepReport(results, time.GetElapsedTime(began));

        Task<StepResult> StartOf(Step step)
        {
            if (!running.TryGetValue(step, out var task))
            {
                var needed = graph.DependenciesOf(step).Select(StartOf).ToList();
                running[step] = task = Task.Run(() => RunAsync(step, needed, cancellation), CancellationToken.None);
            }

            return task;
        }
    }

    private async Task<StepResult> RunAsync(Step step, List<Task<StepResult>> needed, CancellationToken cancellation)
    {
        var earlier = await Task.WhenAll(needed).ConfigureAwait(false);
        var began = time.GetTimestamp();
        if (earlier.FirstOrDefault(r => r.State is StepState.Failed or StepState.Blocked) is { } obstacle)
        {
            return End(StepState.Blocked, $"needs {obstacle.Step}{(obstacle.Machine.Length > 0 ? $" on {obstacle.Machine}" : "")}");
        }

        var state = StepState.Checking;
        var context = new StepContext(detail => Tell(state, detail), time);
        try
        {
            cancellation.ThrowIfCancellationRequested();
            Tell(state, "");
            var check = await step.CheckAsync(context, cancellation).ConfigureAwait(false);
            if (!check.InPlace)
            {
                Tell(state = StepState.Applying, check.Reason);
                await step.ApplyAsync(context, cancellation).ConfigureAwait(false);
            }

            Tell(state = StepState.Verifying, "");
            var seen = await step.VerifyAsync(context, cancellation).ConfigureAwait(false);
            return End(check.InPlace ? StepState.Unchanged : StepState.Changed, check.Reason) with { Seen = seen, Changes = check.Changes };
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return End(StepState.Blocked, "interrupted");
        }
        catch (Exception e)
        {
            // The edge of a step: whatever went wrong in it is its result.
            return End(StepState.Failed, e.Message);
        }

        void Tell(StepState now, string detail)
        {
            lock (_lock)
            {
                observer(new StepEvent(step.Name, step.Machine, now, time.GetElapsedTime(began), detail));
            }
        }

        StepResult End(StepState end, string detail)
        {
            Tell(end, detail);
            return new StepResult(step.Name, step.Machine, end, time.GetElapsedTime(began), detail);
        }
    }
}
