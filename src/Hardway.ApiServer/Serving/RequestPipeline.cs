using Hardway.ApiServer.Aggregation;
using Hardway.ApiServer.Audit;
using Hardway.ApiServer.Authentication;
using Hardway.ApiServer.Authorization;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.FlowControl;
using Hardway.ApiServer.Handlers;
using Hardway.ApiServer.Http;
using Hardway.Hosting;
using Hardway.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Hardway.ApiServer.Serving;

/// <summary>
/// Every request's way: what it is about, who sends it, may they act as who they say, is there room, may they do it, then the handler.
/// What is thrown on the way becomes a Status here and nowhere else.
/// </summary>
internal sealed partial class RequestPipeline(ApiServices services, Auditor auditor, IAuthenticator authenticator, Impersonation impersonation, Dispatcher dispatcher, RootHandler root, AggregationProxy aggregation)
{
    private const string Component = "apiserver";
    private static readonly HashSet<string> s_long = ["log", "exec", "attach", "portforward", "proxy"];
    private readonly InFlightLimit _limit = new(services.Options.MaxRequestsInFlight, services.Options.MaxMutatingInFlight);
    private readonly ILogger _log = services.Logs.CreateLogger("apiserver");
    private readonly Counter _requests = services.Metrics.Counter("apiserver_request_total", "Requests by verb, resource, scope and code.", "verb", "dry_run", "group", "version", "resource", "subresource", "scope", "component", "code");
    private readonly Histogram _seconds = services.Metrics.Histogram("apiserver_request_duration_seconds", "How long requests took that are not long-running.", null, "verb", "dry_run", "group", "version", "resource", "subresource", "scope", "component");
    private readonly Gauge _longRunning = services.Metrics.Gauge("apiserver_longrunning_requests", "Long-running requests being answered.", "verb", "group", "version", "resource", "subresource", "scope", "component");
    private readonly Gauge _inFlight = services.Metrics.Gauge("apiserver_current_inflight_requests", "Requests being answered, by kind.", "request_kind");

    public async Task HandleAsync(HttpContext http)
    {
        var context = new RequestContext(http, RequestInfoResolver.Resolve(http.Request), services.Time.GetUtcNow());
        var started = services.Time.GetTimestamp();
        var isLong = IsLong(context.Info);
        using var time = new CancellationTokenSource(isLong ? Timeout.InfiniteTimeSpan : services.Options.RequestTimeout, services.Time);
        var client = http.RequestAborted;
        using var both = CancellationTokenSource.CreateLinkedTokenSource(client, time.Token);
        http.RequestAborted = both.Token;
        context.AuditId = http.Request.Headers["Audit-Id"].ToString() is { Length: > 0 and <= 64 } given ? given : Guid.NewGuid().ToString();
        http.Response.Headers["Audit-Id"] = context.AuditId;
        if (services.Options.StrictTransportSecurity.Length > 0)
        {
            http.Response.Headers.StrictTransportSecurity = services.Options.StrictTransportSecurity;
        }

        if (!isLong && services.Options.GoAwayChance > 0 && http.Request.Protocol == HttpProtocol.Http2 && Random.Shared.NextDouble() < services.Options.GoAwayChance)
        {
            http.Connection.RequestClose();
        }

        var labels = LabelsOf(context.Info);
        if (isLong)
        {
            _longRunning.Add(1, labels.Verb, labels.Group, labels.Version, labels.Resource, labels.Subresource, labels.Scope, Component);
        }

        try
        {
            await FilterAsync(context, isLong).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            if (client.IsCancellationRequested)
            {
                http.Abort();
            }
            else
            {
                http.RequestAborted = client;
                await AnswerAsync(context, e, time.IsCancellationRequested).ConfigureAwait(false);
            }
        }

        Count(context, labels, started, isLong);
    }

    /// <summary>The Status that an exception means.</summary>
    public static ApiException Translate(Exception error, bool timedOut) => error switch
    {
        ApiException known => known,
        StoreException { Error: StoreError.Compacted } e => Statuses.Expired(e.Message),
        StoreException { Error: StoreError.TooLarge } e => Statuses.TooLarge(e.Message),
        StoreException { Error: StoreError.OutcomeUnknown } e => Statuses.Timeout(e.Message),
        StoreException { Error: StoreError.Unavailable } e => Statuses.Make(503, StatusReason.ServiceUnavailable, e.Message, new Hardway.Api.Meta.V1.StatusDetails { RetryAfterSeconds = 1 }),
        StoreException e => Statuses.Internal(e.Message),
        BadHttpRequestException { StatusCode: 413 } => Statuses.TooLarge("the body is too large"),
        BadHttpRequestException e => Statuses.BadRequest(e.Message),
        OperationCanceledException when timedOut => Statuses.Timeout("request did not complete within the allotted timeout"),
        _ => Statuses.Internal("the server met an error that it did not expect; its log has it"),
    };

    private async Task FilterAsync(RequestContext context, bool isLong)
    {
        var result = await authenticator.AuthenticateAsync(context.Http, context.Aborted).ConfigureAwait(false);
        context.User = result.User ?? UserInfo.Anonymous;
        var trail = auditor.Begin(context);
        try
        {
            if (result.User is null)
            {
                throw Statuses.Unauthorized();
            }

            await AllowedAsync(context, isLong, trail).ConfigureAwait(false);
            trail?.Completed();
        }
        catch (Exception e)
        {
            trail?.Completed(Translate(e, false));
            throw;
        }
    }

    private async Task AllowedAsync(RequestContext context, bool isLong, AuditTrail? trail)
    {
        await impersonation.ApplyAsync(context, context.Aborted).ConfigureAwait(false);
        // Before the authorizers: who floods the server with requests that it may not make waits with its own kind.
        using var slot = isLong ? null : _limit.Enter(context.Info.IsReadOnly, isBound: services.Flow is null && !context.User.InGroup(UserInfo.MastersGroup));
        using var ticket = isLong || services.Flow is null ? null : await services.Flow.EnterAsync(context, SeatEstimate.Of(context.Info, services.Scheme, services.Objects)).ConfigureAwait(false);
        var attributes = AuthorizationAttributes.Of(context.Info, context.User);
        var decision = await services.Authorizer.AuthorizeAsync(attributes, context.Aborted).ConfigureAwait(false);
        if (!decision.Allowed)
        {
            throw Denial.Of(attributes, decision.Reason);
        }

        if (isLong && trail is not null)
        {
            context.Response.OnStarting(() =>
            {
                trail.Started();
                return Task.CompletedTask;
            });
        }

        if (await aggregation.TryHandleAsync(context).ConfigureAwait(false))
        {
            return;
        }

        await (context.Info.IsResource ? dispatcher.HandleAsync(context) : root.HandleAsync(context)).ConfigureAwait(false);
    }

    private async Task AnswerAsync(RequestContext context, Exception error, bool timedOut)
    {
        var answer = Translate(error, timedOut);
        if (error is not (ApiException or StoreException or OperationCanceledException or BadHttpRequestException))
        {
            LogUnexpected(_log, error, context.Request.Method, context.Info.Path);
        }

        try
        {
            await ResponseWriter.WriteErrorAsync(context, answer).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or InvalidOperationException)
        {
            context.Http.Abort();
        }
    }

    private void Count(RequestContext context, RequestLabels labels, long started, bool isLong)
    {
        var dryRun = context.Request.Query.ContainsKey("dryRun") ? "All" : "";
        _requests.Inc(labels.Verb, dryRun, labels.Group, labels.Version, labels.Resource, labels.Subresource, labels.Scope, Component, context.Response.StatusCode.ToString(System.Globalization.CultureInfo.InvariantCulture));
        if (isLong)
        {
            _longRunning.Add(-1, labels.Verb, labels.Group, labels.Version, labels.Resource, labels.Subresource, labels.Scope, Component);
        }
        else
        {
            _seconds.Observe(services.Time.GetElapsedTime(started), labels.Verb, dryRun, labels.Group, labels.Version, labels.Resource, labels.Subresource, labels.Scope, Component);
        }

        _inFlight.Set(_limit.Reading, "readOnly");
        _inFlight.Set(_limit.Writing, "mutating");
    }

    /// <summary>Only what is known, so that there are few.</summary>
    private RequestLabels LabelsOf(RequestInfo info)
    {
        if (!info.IsResource || services.Scheme.Find(info.Group, info.Version, info.Resource) is null)
        {
            return new RequestLabels(info.Verb is "get" or "list" or "watch" or "create" or "update" or "patch" or "delete" ? info.Verb.ToUpperInvariant() : "OTHER", "", "", "", "", "");
        }

        var subresource = s_long.Contains(info.Subresource) || info.Subresource is "status" or "scale" ? info.Subresource : "";
        var scope = info.Name.Length > 0 || info.Verb == "create" ? "resource" : info.Namespace.Length > 0 ? "namespace" : "cluster";
        return new RequestLabels(info.Verb.ToUpperInvariant(), info.Group, info.Version, info.Resource, subresource, scope);
    }

    private readonly record struct RequestLabels(string Verb, string Group, string Version, string Resource, string Subresource, string Scope);

    private static bool IsLong(RequestInfo info) => info.Verb is "watch" or "proxy" || s_long.Contains(info.Subresource);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} met an unexpected error")]
    private static partial void LogUnexpected(ILogger logger, Exception exception, string method, string path);
}
