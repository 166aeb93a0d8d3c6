using Microsoft.AspNetCore.Http;

namespace Hardway.ApiServer.Http;

/// <summary>One request on its way through the filters: what they found out. Used by one request's flow only.</summary>
internal sealed class RequestContext(HttpContext http, RequestInfo info, DateTimeOffset receivedAt)
{
    private readonly List<string> _warnings = [];

    public HttpContext Http { get; } = http;

    public RequestInfo Info { get; } = info;

    public DateTimeOffset ReceivedAt { get; } = receivedAt;

    /// <summary>Whom the request acts as (after impersonation).</summary>
    public UserInfo User { get; set; } = UserInfo.Anonymous;

    /// <summary>Who sent it, when it impersonates; else null.</summary>
    public UserInfo? RealUser { get; set; }

    public string AuditId { get; set; } = "";

    /// <summary>What admission and authorization want the audit log to have.</summary>
    public Dictionary<string, string> AuditAnnotations { get; } = new(StringComparer.Ordinal);

    /// <summary>Filled by the audit filter when the policy wants bodies.</summary>
    public object? Audit { get; set; }

    /// <summary>The decoded object of the request and of the answer, for the audit log.</summary>
    public Hardway.Api.ApiStruct? RequestObject { get; set; }

    public Hardway.Api.ApiStruct? ResponseObject { get; set; }

    public IReadOnlyList<string> Warnings => _warnings;

    public CancellationToken Aborted => Http.RequestAborted;

    public HttpRequest Request => Http.Request;

    public HttpResponse Response => Http.Response;

    /// <summary>A Warning header of the answer; equal ones are sent once, and at most some.</summary>
    public void Warn(string text)
    {
        if (_warnings.Count < 64 && !_warnings.Contains(text))
        {
            _warnings.Add(text);
        }
    }
}
