using System.Collections.Concurrent;
using Hardway.Api;
using Hardway.Api.FlowControl.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.Hosting;

namespace Hardway.ApiServer.FlowControl;

/// <summary>
/// Priority and fairness on the way of every short request: which flow schema it belongs to, and a place in that schema's level. Starts with the
/// configuration that every cluster has; <see cref="Load"/> brings the cluster's own. Requests read one immutable model and take one lock, their level's.
/// </summary>
internal sealed class FlowDispatcher
{
    private readonly TimeProvider _time;
    private readonly int _seats;
    private readonly TimeSpan _longestWait;
    private readonly SeatBorrowing _borrowing;
    private readonly Lock _loading = new();
    private readonly Dictionary<string, (PriorityLevel Level, PriorityLevelConfigurationSpec Spec)> _levels = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Schema, string Level), FlowCounts> _counts = new();
    private volatile FlowModel _model = new([]);
    private volatile PriorityLevel[] _current = [];

    /// <param name="seats">How many seats all levels share.</param>
    /// <param name="longestWait">How long a request may wait for one.</param>
    /// <param name="time">The clock.</param>
    public FlowDispatcher(int seats, TimeSpan longestWait, TimeProvider time)
    {
        _seats = seats;
        _longestWait = longestWait;
        _time = time;
        _borrowing = new SeatBorrowing(seats);
        Load([], []);
    }

    public IReadOnlyList<PriorityLevel> Levels => _current;

    /// <summary>Takes over what the cluster has; of mandatory objects that it lacks, the built-in ones stand.</summary>
    public void Load(IReadOnlyList<PriorityLevelConfiguration> levels, IReadOnlyList<FlowSchema> schemas)
    {
        var (allLevels, allSchemas) = levels.Count == 0 ? (SuggestedConfiguration.Levels, SuggestedConfiguration.Schemas) : (WithMandatory(levels, SuggestedConfiguration.Levels), WithMandatory(schemas, SuggestedConfiguration.Schemas));
        lock (_loading)
        {
            var shares = LevelShares.Of(allLevels, _seats);
            foreach (var gone in _levels.Keys.Where(name => !shares.ContainsKey(name)).ToList())
            {
                // Who waits there is served to the end; nobody new is sent there.
                _levels.Remove(gone);
            }

            foreach (var level in allLevels)
            {
                Configure(level, shares[level.Metadata.Name]);
            }

            _current = [.. _levels.Values.Select(l => l.Level)];
            var uids = allLevels.ToDictionary(l => l.Metadata.Name, l => l.Metadata.Uid, StringComparer.Ordinal);
            _model = new FlowModel(allSchemas.Where(s => _levels.ContainsKey(s.Spec.PriorityLevelConfiguration.Name)).Select(s => Compile(s, uids)));
        }
    }

    /// <summary>Waits for the request's turn; dispose what it gets when the request has been answered.</summary>
    /// <exception cref="ApiException">TooManyRequests.</exception>
    public async ValueTask<FlowTicket> EnterAsync(RequestContext context, int seats)
    {
        var schema = _model.Classify(context.Info, context.User);
        if (schema.Uid.Count > 0)
        {
            context.Response.Headers["X-Kubernetes-PF-FlowSchema-UID"] = schema.Uid;
            context.Response.Headers["X-Kubernetes-PF-PriorityLevel-UID"] = schema.LevelUid;
        }

        var ticket = schema.Level.Enter(schema.Level.IsExempt ? 0 : schema.Flow(context.Info, context.User), seats, out var rejection);
        if (ticket is null)
        {
            throw Refuse(schema, rejection);
        }

        if (ticket.Turn is not null)
        {
            await WaitAsync(schema, ticket, context.Aborted).ConfigureAwait(false);
        }

        schema.Counts.Dispatched();
        return ticket;
    }

    /// <summary>To be called every ten seconds.</summary>
    public void Borrow() => _borrowing.Adjust(_current);

    /// <summary>Brings the numbers of the moment to the metrics.</summary>
    public void Publish(Metrics metrics)
    {
        var dispatched = metrics.Counter("apiserver_flowcontrol_dispatched_requests_total", "Requests that were let in, by level and flow schema.", "priority_level", "flow_schema");
        var rejected = metrics.Counter("apiserver_flowcontrol_rejected_requests_total", "Requests that were turned away, by level, flow schema and reason.", "priority_level", "flow_schema", "reason");
        var executing = metrics.Gauge("apiserver_flowcontrol_current_executing_requests", "Requests being answered, by level.", "priority_level");
        var executingSeats = metrics.Gauge("apiserver_flowcontrol_current_executing_seats", "Seats taken, by level.", "priority_level");
        var waiting = metrics.Gauge("apiserver_flowcontrol_current_inqueue_requests", "Requests that wait, by level.", "priority_level");
        var nominal = metrics.Gauge("apiserver_flowcontrol_nominal_limit_seats", "Seats that are a level's own.", "priority_level");
        var limit = metrics.Gauge("apiserver_flowcontrol_current_limit_seats", "Seats that a level has after borrowing.", "priority_level");
        lock (_loading)
        {
            foreach (var counts in _counts.Values)
            {
                counts.Publish(dispatched, rejected);
            }

            foreach (var level in _current)
            {
                executing.Set(level.ExecutingRequests, level.Name);
                executingSeats.Set(level.Executing, level.Name);
                waiting.Set(level.Waiting, level.Name);
                nominal.Set(level.Shares.Nominal, level.Name);
                limit.Set(level.Limit, level.Name);
            }
        }
    }

    private static IReadOnlyList<T> WithMandatory<T>(IReadOnlyList<T> given, IReadOnlyList<T> known)
        where T : KubeObject =>
        [.. given, .. known.Where(k => SuggestedConfiguration.IsMandatory(k.Metadata.Name) && !given.Any(g => g.Metadata.Name == k.Metadata.Name))];

    private static ApiException Refuse(CompiledSchema schema, FlowRejection reason)
    {
        schema.Counts.Rejected(reason);
        return Statuses.TooManyRequests("Too many requests, please try again later.");
    }

    private async ValueTask WaitAsync(CompiledSchema schema, FlowTicket ticket, CancellationToken cancellationToken)
    {
        try
        {
            await ticket.Turn!.Task.WaitAsync(_longestWait, _time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            ticket.Dispose();
            throw Refuse(schema, FlowRejection.TimeOut);
        }
        catch (OperationCanceledException)
        {
            ticket.Dispose();
            schema.Counts.Rejected(FlowRejection.Cancelled);
            throw;
        }
    }

    private void Configure(PriorityLevelConfiguration level, LevelShares shares)
    {
        if (!_levels.TryGetValue(level.Metadata.Name, out var known))
        {
            known = (new PriorityLevel(level.Metadata.Name, _time), new PriorityLevelConfigurationSpec());
        }

        if (known.Level.Shares != shares || !ApiStruct.DeepEquals(known.Spec, level.Spec))
        {
            known.Level.Configure(level.Spec, shares);
            known.Spec = level.Spec;
        }

        _levels[level.Metadata.Name] = known;
    }

    private CompiledSchema Compile(FlowSchema schema, Dictionary<string, string> uids)
    {
        var level = schema.Spec.PriorityLevelConfiguration.Name;
        var counts = _counts.GetOrAdd((schema.Metadata.Name, level), static key => new FlowCounts(key.Schema, key.Level));
        return new CompiledSchema(schema, _levels[level].Level, uids[level], counts);
    }
}
