using System.Text.Json.Nodes;
using System.Threading.Channels;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Microsoft.Extensions.Logging;

namespace Hardway.Client;

/// <summary>
/// Tells users what a component did to an object, as core/v1 Events. <see cref="Event"/> never waits and never fails: events go through a
/// bounded queue (the oldest is dropped) to <see cref="RunAsync"/>, which folds repeats into one Event with a count, folds more than ten
/// similar ones in ten minutes into "(combined from similar events)", and lets one object make 25 at once and then one in five minutes.
/// </summary>
public sealed partial class EventRecorder
{
    private readonly KubeClient _client;
    private readonly string _component;
    private readonly string _host;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly EventCorrelator _correlator;
    private readonly Channel<Event> _queue = Channel.CreateBounded<Event>(new BoundedChannelOptions(1000) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    public EventRecorder(KubeClient client, string component, ILoggerFactory logs, string host = "")
    {
        _client = client;
        _component = component;
        _host = host;
        _time = client.Time;
        _log = logs.CreateLogger("EventRecorder");
        _correlator = new EventCorrelator(_time);
    }

    public void Normal(KubeObject about, string reason, string message) => Event(about, "Normal", reason, message);

    public void Warning(KubeObject about, string reason, string message) => Event(about, "Warning", reason, message);

    public void Event(KubeObject about, string type, string reason, string message) => Event(Reference(about), type, reason, message);

    public void Event(ObjectReference about, string type, string reason, string message)
    {
        var now = _time.GetUtcNow();
        var happened = new Event
        {
            InvolvedObject = about,
            Reason = reason,
            Message = message.Length <= 1024 ? message : message[..1021] + "...",
            Type = type,
            FirstTimestamp = now,
            LastTimestamp = now,
            Count = 1,
            ReportingComponent = _component,
            ReportingInstance = _host,
        };
        happened.Source.Component = _component;
        happened.Source.Host = _host;
        happened.Metadata.Namespace = about.Namespace.Length > 0 ? about.Namespace : "default";
        happened.Metadata.Name = $"{about.Name}.{now.UtcTicks - DateTime.UnixEpoch.Ticks:x}";
        _queue.Writer.TryWrite(happened);
    }

    public static ObjectReference Reference(KubeObject about) => new()
    {
        ApiVersion = about.ApiVersion,
        Kind = about.Kind,
        Namespace = about.Metadata.Namespace,
        Name = about.Metadata.Name,
        Uid = about.Metadata.Uid,
        ResourceVersion = about.Metadata.ResourceVersion,
    };

    /// <summary>Sends until the token is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var happened in _queue.Reader.ReadAllAsync(cancellationToken)) await SendAsync(happened, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }

    private async Task SendAsync(Event happened, CancellationToken ct)
    {
        if (_correlator.Correlate(happened) is not { } entry) return;
        try
        {
            if (entry.Count > 1)
            {
                var patch = new JsonObject { ["count"] = entry.Count, ["message"] = entry.Message, ["lastTimestamp"] = ApiTime.Format(happened.LastTimestamp!.Value) };
                try
                {
                    await _client.PatchAsync<Event>(entry.Namespace, entry.Name, PatchType.StrategicMerge, System.Text.Encoding.UTF8.GetBytes(patch.ToJsonString()), ct);
                    return;
                }
                catch (ApiException e) when (e.IsNotFound)
                {
                    happened.Count = entry.Count;
                }
            }
            happened.Message = entry.Message;
            entry.Name = happened.Metadata.Name;
            await _client.CreateAsync(happened, ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception e)
        {
            // An event is told once; when the API server cannot take it, the log has it.
            LogLost(_log, happened.InvolvedObject.Kind, happened.InvolvedObject.Name, happened.Reason, happened.Message, e.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "event about {Kind} {Name} could not be recorded ({Reason}: {Message}): {Error}")]
    private static partial void LogLost(ILogger logger, string kind, string name, string reason, string message, string error);
}
