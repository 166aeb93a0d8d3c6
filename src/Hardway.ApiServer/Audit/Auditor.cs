using Hardway.ApiServer.Http;
using Microsoft.Extensions.Logging;

namespace Hardway.ApiServer.Audit;

/// <summary>The audit log as configured; notes nothing without a policy and a place to write to.</summary>
internal sealed class Auditor : IAsyncDisposable
{
    private readonly AuditPolicy? _policy;
    private readonly IAuditSink? _log;
    private readonly TimeProvider _time;

    public Auditor(AuditOptions options, TimeProvider time, ILogger log)
    {
        _time = time;
        if (options.PolicyFile.Length > 0 && (options.LogPath.Length > 0 || options.Webhook.ConfigFile.Length > 0))
        {
            _policy = AuditPolicy.Read(options.PolicyFile);
            _log = new AuditSinks([.. Sinks(options, time, log)]);
        }
    }

    /// <summary>To be called once the sender is known (an unknown one is system:anonymous); null where the policy leaves the request out.</summary>
    public AuditTrail? Begin(RequestContext context)
    {
        if (_policy is null || _policy.Decide(context.Info, context.User) is not { Level: not AuditLevel.None } decision)
        {
            return null;
        }

        var trail = new AuditTrail(context, decision, _log!, _time);
        context.Audit = trail;
        trail.Received();
        return trail;
    }

    private static IEnumerable<IAuditSink> Sinks(AuditOptions options, TimeProvider time, ILogger log)
    {
        if (options.LogPath.Length > 0)
        {
            yield return new AuditLog(options, time, log);
        }

        if (options.Webhook.ConfigFile.Length > 0)
        {
            yield return new AuditWebhook(options.Webhook, time, log);
        }
    }

    public ValueTask DisposeAsync() => _log?.DisposeAsync() ?? ValueTask.CompletedTask;
}
