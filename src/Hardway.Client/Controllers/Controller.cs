using Hardway.Hosting;
using Microsoft.Extensions.Logging;

namespace Hardway.Client;

/// <summary>
/// The one shape of all controllers: informers put keys into a queue, workers take a key and make the world as its object says.
/// <see cref="ReconcileAsync"/> is level-triggered (looks at what is, not at what happened), idempotent, and never runs twice at once for a key.
/// When it throws, the key comes back with growing waits; a conflict is no error, only a reason to look again.
/// </summary>
public abstract partial class Controller : IDisposable
{
    private readonly ILogger _log;
    private readonly List<IInformer> _needs = [];
    private readonly Histogram? _workTime;
    private readonly Counter? _errors;

    protected Controller(string name, ILoggerFactory logs, TimeProvider time, Metrics? metrics = null)
    {
        Name = name;
        Time = time;
        _log = logs.CreateLogger(name);
        Queue = new WorkQueue(name, time, metrics);
        _workTime = metrics?.Histogram("workqueue_work_duration_seconds", "How long in seconds processing an item from workqueue takes.", null, "name");
        _errors = metrics?.Counter("controller_reconcile_errors_total", "Reconciliations that failed and are tried again.", "name");
    }

    public string Name { get; }

    protected TimeProvider Time { get; }

    protected ILogger Log => _log;

    public WorkQueue Queue { get; }

    public int Workers { get; init; } = 5;

    /// <summary>Makes the object of the key as it should be. The object may be gone.</summary>
    public abstract Task ReconcileAsync(string key, CancellationToken cancellationToken);

    /// <summary>Reconciling starts only when this informer has its first list.</summary>
    protected Informer<T> Needs<T>(Informer<T> informer) where T : Hardway.Api.KubeObject, Hardway.Api.IApiType<T>, new()
    {
        _needs.Add(informer);
        return informer;
    }

    /// <summary>Waits for the informers, then works until the token is cancelled.</summary>
    public virtual async Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (var informer in _needs) await informer.WaitForSyncAsync(cancellationToken);
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => WorkAsync(cancellationToken)));
    }

    /// <summary>One key through <see cref="ReconcileAsync"/>, with what follows from its outcome. Tests step a controller with it.</summary>
    public async Task StepAsync(string key, CancellationToken cancellationToken)
    {
        var started = Time.GetTimestamp();
        try
        {
            await ReconcileAsync(key, cancellationToken);
            Queue.Forget(key);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (ApiException e) when (e.IsConflict)
        {
            LogConflict(_log, key, e.Message);
            Queue.AddRateLimited(key);
        }
        catch (Exception e)
        {
            _errors?.Inc(Name);
            if (e is ApiException or HttpRequestException or IOException) LogFailed(_log, key, e.Message);
            else LogCrashed(_log, e, key);
            Queue.AddRateLimited(key);
        }
        finally
        {
            _workTime?.Observe(Time.GetElapsedTime(started), Name);
            Queue.Done(key);
        }
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing) => Queue.Dispose();

    private async Task WorkAsync(CancellationToken cancellationToken)
    {
        await Task.Yield();
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await StepAsync(await Queue.GetAsync(cancellationToken), cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Key}: changed meanwhile, looking again: {Reason}")]
    private static partial void LogConflict(ILogger logger, string key, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Key}: {Reason}; trying again")]
    private static partial void LogFailed(ILogger logger, string key, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Key}: reconciling failed")]
    private static partial void LogCrashed(ILogger logger, Exception exception, string key);
}
