using Hardway.Api;
using Hardway.Api.FlowControl.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Serving;
using Hardway.Storage;
using Hardway.Storage.Cache;
using Microsoft.Extensions.Logging;

namespace Hardway.ApiServer.FlowControl;

/// <summary>
/// Keeps priority and fairness in step with the cluster: makes and mends the objects that every cluster has, gives the dispatcher what is
/// there, says in each flow schema whether its level exists, and lets levels borrow seats. Level-triggered; several servers do the same.
/// </summary>
internal sealed partial class FlowController(ApiServices services, FlowDispatcher dispatcher) : IDisposable
{
    public const string AutoUpdate = "apf.kubernetes.io/autoupdate-spec";
    private const string Dangling = "Dangling";
    private static readonly TimeSpan s_maintenance = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_borrowing = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_retry = TimeSpan.FromSeconds(1);
    private readonly ILogger _log = services.Logs.CreateLogger("flowcontrol");
    private readonly SemaphoreSlim _reconciling = new(1);

    public async Task RunAsync(CancellationToken stop) => await Task.WhenAll(
        FollowAsync(FlowSchema.TypeSchema, stop),
        FollowAsync(PriorityLevelConfiguration.TypeSchema, stop),
        EveryAsync(s_maintenance, EnsureAsync, stop),
        EveryAsync(s_borrowing, _ =>
        {
            dispatcher.Borrow();
            return Task.CompletedTask;
        }, stop)).ConfigureAwait(false);

    /// <summary>Before the server is ready: the objects are there, and requests are matched with all of them.</summary>
    public async Task InitAsync(CancellationToken cancellationToken)
    {
        await EnsureAsync(cancellationToken).ConfigureAwait(false);
        await services.Objects.Cache.WaitUntilConsistentAsync(cancellationToken).ConfigureAwait(false);
        dispatcher.Load(services.Reader.List<PriorityLevelConfiguration>(), services.Reader.List<FlowSchema>());
    }

    /// <summary>Makes what is missing of the objects that every cluster has, and puts back what was changed unless somebody took it over.</summary>
    private async Task EnsureAsync(CancellationToken cancellationToken)
    {
        foreach (var level in SuggestedConfiguration.Levels)
        {
            await EnsureAsync(level, l => l.Spec, (l, spec) => l.Spec = spec, cancellationToken).ConfigureAwait(false);
        }

        foreach (var schema in SuggestedConfiguration.Schemas)
        {
            await EnsureAsync(schema, s => s.Spec, (s, spec) => s.Spec = spec, cancellationToken).ConfigureAwait(false);
        }
    }

    public void Dispose() => _reconciling.Dispose();

    /// <summary>Does the server, rather than somebody else, say what stands in the object?</summary>
    internal static bool IsOurs(KubeObject value) =>
        SuggestedConfiguration.IsMandatory(value.Metadata.Name)
        || (value.Metadata.Annotations?.GetValueOrDefault(AutoUpdate) is { } told ? told == "true" : value.Metadata.Generation == 1);

    private async Task EnsureAsync<T, TSpec>(T wanted, Func<T, TSpec> spec, Action<T, TSpec> set, CancellationToken cancellationToken)
        where T : KubeObject, IApiType<T>, new()
        where TSpec : ApiStruct
    {
        var name = wanted.Metadata.Name;
        if (services.Reader.Get<T>("", name) is not { } existing)
        {
            await CreateAsync(wanted, cancellationToken).ConfigureAwait(false);
            return;
        }

        if (!IsMended(existing))
        {
            await services.Writer.UpdateAsync<T>("", name, current =>
            {
                var ours = IsOurs(current);
                (current.Metadata.Annotations ??= new(StringComparer.Ordinal))[AutoUpdate] = ours ? "true" : "false";
                if (ours && !IsSame(current))
                {
                    set(current, (TSpec)spec(wanted).DeepClone());
                }

                return current;
            }, cancellationToken).ConfigureAwait(false);
        }

        bool IsMended(T value) => value.Metadata.Annotations?.GetValueOrDefault(AutoUpdate) == (IsOurs(value) ? "true" : "false") && (!IsOurs(value) || IsSame(value));

        // The level exempt keeps what is lent of it.
        bool IsSame(T value) => ApiStruct.DeepEquals(spec(value), spec(wanted)) || value is PriorityLevelConfiguration { Metadata.Name: "exempt", Spec: { Type: "Exempt", Limited: null } };
    }

    private async Task CreateAsync<T>(T wanted, CancellationToken cancellationToken)
        where T : KubeObject, IApiType<T>, new()
    {
        var value = wanted.Clone();
        value.Metadata.Annotations = new(StringComparer.Ordinal) { [AutoUpdate] = "true" };
        try
        {
            await services.Writer.CreateAsync(value, cancellationToken).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            // Another server was faster.
        }
    }

    private async Task FollowAsync(TypeSchema type, CancellationToken stop)
    {
        var prefix = services.Scheme.Of(type).Collection("");
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using var watcher = services.Objects.Cache.Watch(new CacheWatchRequest(prefix) { InitialState = true, InitialStateBookmark = true });
                while (watcher is not null && await watcher.WaitToReadAsync(stop).ConfigureAwait(false))
                {
                    while (watcher.TryRead(out _))
                    {
                        // What counts is the state after all of them.
                    }

                    await ReconcileAsync(stop).ConfigureAwait(false);
                }
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // The top of the loop: the server goes on with the configuration that it has.
                LogFailed(_log, e.Message);
            }

            await Task.Delay(s_retry, services.Time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ReconcileAsync(CancellationToken cancellationToken)
    {
        await _reconciling.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var levels = services.Reader.List<PriorityLevelConfiguration>();
            var schemas = services.Reader.List<FlowSchema>();
            dispatcher.Load(levels, schemas);
            var names = levels.Select(l => l.Metadata.Name).ToHashSet(StringComparer.Ordinal);
            foreach (var schema in schemas)
            {
                await SetConditionAsync(schema, names.Contains(schema.Spec.PriorityLevelConfiguration.Name), cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _reconciling.Release();
        }
    }

    private async Task SetConditionAsync(FlowSchema schema, bool found, CancellationToken cancellationToken)
    {
        var (status, reason) = found ? ("False", "Found") : ("True", "NotFound");
        if (Has(schema))
        {
            return;
        }

        try
        {
            await services.Writer.UpdateStatusAsync<FlowSchema>("", schema.Metadata.Name, current =>
            {
                if (Has(current) || current.Metadata.Uid != schema.Metadata.Uid)
                {
                    return null;
                }

                var conditions = current.Status.Conditions ??= [];
                conditions.RemoveAll(c => c.Type == Dangling);
                conditions.Add(new FlowSchemaCondition
                {
                    Type = Dangling,
                    Status = status,
                    Reason = reason,
                    LastTransitionTime = CreatePipeline.Seconds(services.Time.GetUtcNow()),
                    Message = found ? $"the level {schema.Spec.PriorityLevelConfiguration.Name} exists" : $"the level {schema.Spec.PriorityLevelConfiguration.Name} does not exist: requests are not matched with this flow schema",
                });
                return current;
            }, cancellationToken).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // Deleted in between.
        }

        bool Has(FlowSchema value) => value.Status.Conditions?.Find(c => c.Type == Dangling) is { } known && known.Status == status && known.Reason == reason;
    }

    private async Task EveryAsync(TimeSpan period, Func<CancellationToken, Task> action, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(period, services.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop).ConfigureAwait(false))
            {
                try
                {
                    await action(stop).ConfigureAwait(false);
                }
                catch (Exception e) when (e is ApiException or StoreException)
                {
                    LogFailed(_log, e.Message);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to stop.
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Priority and fairness could not be brought up to date: {Reason}")]
    private static partial void LogFailed(ILogger logger, string reason);
}
