using Microsoft.Extensions.Logging;

namespace Hardway.Hosting;

/// <summary>
/// The life of a component as named stages, started in the order they were added and stopped in reverse:
/// <code>
/// init(stage 1) → run(stage 1) ┐            stop, or a stage that failed
/// init(stage 2) → run(stage 2) ┼─ running ──────────────► cancel 2, await 2, cancel 1, await 1
/// </code>
/// init is what can fail at start; run returns when the stage ended. A stage that ends before it was told to (or fails) ends the component.
/// All of the stopping shares one deadline; a stage that misses it is named in the log and left behind. One stage every component has: it gives back the
/// memory that only the start needed.
/// </summary>
public sealed partial class ComponentHost(string name, ILoggerFactory logs, TimeProvider time)
{
    private readonly ILogger _log = logs.CreateLogger(name);
    private readonly List<Stage> _stages = [];

    private sealed record Stage(string Name, Func<CancellationToken, Task>? Init, Func<CancellationToken, Task>? Run);

    private sealed record Running(Stage Stage, CancellationTokenSource Stop, Task Task);

    public TimeSpan StopDeadline { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>A stage with work: <paramref name="run"/> goes on until its token is cancelled.</summary>
    public ComponentHost Add(string stage, Func<CancellationToken, Task> run, Func<CancellationToken, Task>? init = null)
    {
        _stages.Add(new Stage(stage, init, run));
        return this;
    }

    /// <summary>A stage that is done once it has been waited for (caches synced, a directory made).</summary>
    public ComponentHost AddInit(string stage, Func<CancellationToken, Task> init)
    {
        _stages.Add(new Stage(stage, init, null));
        return this;
    }

    /// <summary>Runs until <paramref name="stop"/> or until a stage fails; a failure is thrown after everything was stopped.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        List<Running> running = [];
        Add("memory", new StartupMemory(time).RunAsync);
        try
        {
            foreach (var stage in _stages)
            {
                LogStage(_log, stage.Name);
                if (stage.Init is not null) await InitAsync(stage, running, stop);
                if (stage.Run is null) continue;
                var source = new CancellationTokenSource();
                running.Add(new Running(stage, source, Task.Run(() => stage.Run(source.Token), CancellationToken.None)));
            }
            await EndedAsync(running, Task.Delay(Timeout.InfiniteTimeSpan, time, stop));
        }
        finally
        {
            await StopAsync(running);
        }
    }

    /// <summary>Awaits a stage's start and fails early when a stage started before fails meanwhile.</summary>
    private static async Task InitAsync(Stage stage, List<Running> running, CancellationToken stop)
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var init = stage.Init!(cancel.Token);
        try
        {
            await EndedAsync(running, init);
        }
        finally
        {
            if (!init.IsCompleted)
            {
                await cancel.CancelAsync();
                await init.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static async Task EndedAsync(List<Running> running, Task until)
    {
        var first = await Task.WhenAny([until, .. running.Select(r => r.Task)]);
        await first;
        if (first != until) throw new ComponentException($"{running.Find(r => r.Task == first)!.Stage.Name} ended");
    }

    private async Task StopAsync(List<Running> running)
    {
        using var deadline = new CancellationTokenSource(StopDeadline, time);
        for (var i = running.Count - 1; i >= 0; i--)
        {
            var (stage, stop, task) = running[i];
            await stop.CancelAsync();
            try
            {
                await task.WaitAsync(deadline.Token);
            }
            catch (OperationCanceledException)
            {
                if (!task.IsCompleted) LogLeftBehind(_log, stage.Name, StopDeadline);
            }
            catch (Exception e)
            {
                LogStageFailed(_log, e, stage.Name);
            }
            if (task.IsCompleted) stop.Dispose();
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "stage {Stage}")]
    private static partial void LogStage(ILogger logger, string stage);

    [LoggerMessage(Level = LogLevel.Warning, Message = "stage {Stage} did not stop within {Deadline}")]
    private static partial void LogLeftBehind(ILogger logger, string stage, TimeSpan deadline);

    [LoggerMessage(Level = LogLevel.Error, Message = "stage {Stage} failed")]
    private static partial void LogStageFailed(ILogger logger, Exception exception, string stage);
}
