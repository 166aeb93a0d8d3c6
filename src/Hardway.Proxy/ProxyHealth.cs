using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Hardway.Proxy;

/// <summary>
/// Is the proxy alive? Yes while no change waits longer than the timeout for its rules. /healthz also says no while the node is about to go,
/// so that load balancers stop using it; /livez does not. Any thread.
/// </summary>
internal sealed class ProxyHealth(TimeProvider time, TimeSpan timeout)
{
    private readonly Lock _lock = new();
    private DateTimeOffset? _queued;
    private DateTimeOffset? _updated;

    public volatile bool NodeGoing;

    public void Queued()
    {
        lock (_lock)
        {
            _queued ??= time.GetUtcNow();
        }
    }

    public void Updated()
    {
        lock (_lock)
        {
            (_queued, _updated) = (null, time.GetUtcNow());
        }
    }

    public bool IsLive
    {
        get
        {
            lock (_lock)
            {
                return _updated is not null && (_queued is not { } queued || time.GetUtcNow() - queued < timeout);
            }
        }
    }

    public Task HealthzAsync(HttpContext context) => AnswerAsync(context, IsLive && !NodeGoing);

    public Task LivezAsync(HttpContext context) => AnswerAsync(context, IsLive);

    private Task AnswerAsync(HttpContext context, bool ok)
    {
        DateTimeOffset? updated;
        lock (_lock)
        {
            updated = _updated;
        }

        context.Response.StatusCode = ok ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = "application/json";
        context.Response.Headers["X-Content-Type-Options"] = "nosniff";
        var now = time.GetUtcNow();
        var text = $"{{\"lastUpdated\": \"{Text(updated ?? DateTimeOffset.UnixEpoch)}\",\"currentTime\": \"{Text(now)}\", \"nodeEligible\": {(NodeGoing ? "false" : "true")}}}";
        return context.Response.WriteAsync(text, context.RequestAborted);
    }

    private static string Text(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture) + " +0000 UTC";
}
