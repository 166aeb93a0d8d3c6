using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;

namespace Hardway.Client;

/// <summary>The API server answered with something else than success. <see cref="Reason"/> is the Status' reason (NotFound, Conflict, AlreadyExists, ...).</summary>
public sealed class ApiException : Exception
{
    public ApiException(Status status, TimeSpan? retryAfter = null) : base(status.Message.Length > 0 ? status.Message : $"the server answered {status.Code} {status.Reason}")
    {
        Status = status;
        RetryAfter = retryAfter;
    }

    public Status Status { get; }
    public int Code => Status.Code;
    public string Reason => Status.Reason;
    public TimeSpan? RetryAfter { get; }

    public bool IsNotFound => Code == 404;
    public bool IsConflict => Code == 409 && Reason != "AlreadyExists";
    public bool IsAlreadyExists => Code == 409 && Reason == "AlreadyExists";
    public bool IsForbidden => Code == 403;
    public bool IsInvalid => Code == 422;
    public bool IsGone => Code == 410 || Reason is "Expired" or "Gone";

    /// <summary>The namespace is going away: nothing can be created there, and retrying is pointless.</summary>
    public bool IsNamespaceTerminating => Code == 403 && (Status.Details?.Causes ?? []).Any(c => c.Reason == "NamespaceTerminating");

    internal static ApiException From(int code, ReadOnlySpan<byte> body, string? fallback, TimeSpan? retryAfter)
    {
        Status? status = null;
        if (body.Length > 0 && body.TrimStart("\t\r\n "u8) is [(byte)'{', ..])
        {
            try { status = ApiJson.Deserialize<Status>(body); }
            catch (ApiDecodeException) { status = null; }
        }
        if (status is null || status.Kind != "Status")
        {
            var text = System.Text.Encoding.UTF8.GetString(body[..Math.Min(body.Length, 500)]).Trim();
            status = new Status { Message = text.Length > 0 ? text : fallback ?? "", Reason = ReasonOf(code) };
        }
        if (status.Code == 0) status.Code = code;
        return new ApiException(status, retryAfter);
    }

    private static string ReasonOf(int code) => code switch
    {
        400 => "BadRequest", 401 => "Unauthorized", 403 => "Forbidden", 404 => "NotFound", 405 => "MethodNotAllowed", 409 => "Conflict",
        410 => "Gone", 422 => "Invalid", 429 => "TooManyRequests", 503 => "ServiceUnavailable", 504 => "Timeout", >= 500 => "InternalError", _ => "Unknown",
    };
}
