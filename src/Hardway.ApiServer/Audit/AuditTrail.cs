using System.Buffers;
using System.Text.Json;
using Hardway.Api;
using Hardway.ApiServer.Authentication;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;

namespace Hardway.ApiServer.Audit;

/// <summary>What is noted of one request, stage by stage. Used by that request's flow only.</summary>
internal sealed class AuditTrail(RequestContext context, AuditDecision decision, IAuditSink log, TimeProvider time)
{
    private readonly DateTimeOffset _received = context.ReceivedAt;
    private bool _isComplete;

    public bool WantsRequest => decision.Level >= AuditLevel.Request;

    public bool WantsResponse => decision.Level >= AuditLevel.RequestResponse;

    public void Received() => Note(AuditStages.RequestReceived, 0, null);

    /// <summary>Of long requests: their answer has begun and will go on.</summary>
    public void Started() => Note(AuditStages.ResponseStarted, context.Response.StatusCode, null);

    /// <param name="error">What the request ended with, if it failed.</param>
    public void Completed(ApiException? error = null)
    {
        if (!_isComplete)
        {
            _isComplete = true;
            Note(AuditStages.ResponseComplete, error?.Code ?? context.Response.StatusCode, error);
        }
    }

    private void Note(AuditStages stage, int code, ApiException? error)
    {
        if ((decision.Omitted & stage) == 0)
        {
            log.Write(Encode(stage, code, error));
        }
    }

    private ReadOnlyMemory<byte> Encode(AuditStages stage, int code, ApiException? error)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var w = new Utf8JsonWriter(buffer))
        {
            w.WriteStartObject();
            w.WriteString("kind", "Event");
            w.WriteString("apiVersion", "audit.k8s.io/v1");
            w.WriteString("level", decision.Level.ToString());
            w.WriteString("auditID", context.AuditId);
            w.WriteString("stage", stage.ToString());
            w.WriteString("requestURI", context.Info.Path + context.Request.QueryString.Value);
            w.WriteString("verb", context.Info.Verb);
            WriteUsers(w);
            WriteOrigin(w);
            WriteReference(w);
            if (stage != AuditStages.RequestReceived)
            {
                WriteOutcome(w, code, error);
                WriteObjects(w, stage);
            }

            w.WriteString("requestReceivedTimestamp", ApiTime.FormatMicro(_received));
            w.WriteString("stageTimestamp", ApiTime.FormatMicro(time.GetUtcNow()));
            if (context.AuditAnnotations.Count > 0 && stage != AuditStages.RequestReceived)
            {
                w.WriteStartObject("annotations");
                foreach (var (key, value) in context.AuditAnnotations)
                {
                    w.WriteString(key, value);
                }

                w.WriteEndObject();
            }

            w.WriteEndObject();
        }

        buffer.Write("\n"u8);
        return buffer.WrittenMemory;
    }

    private void WriteUsers(Utf8JsonWriter w)
    {
        w.WritePropertyName("user");
        ApiJson.Write(w, UserConversion.ToApi(context.RealUser ?? context.User));
        if (context.RealUser is not null)
        {
            w.WritePropertyName("impersonatedUser");
            ApiJson.Write(w, UserConversion.ToApi(context.User));
        }
    }

    private void WriteOrigin(Utf8JsonWriter w)
    {
        w.WriteStartArray("sourceIPs");
        foreach (var forwarded in context.Request.Headers["X-Forwarded-For"].ToString().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Take(16))
        {
            if (System.Net.IPAddress.TryParse(forwarded, out var address))
            {
                w.WriteStringValue(address.ToString());
            }
        }

        if (context.Http.Connection.RemoteIpAddress is { } remote)
        {
            w.WriteStringValue((remote.IsIPv4MappedToIPv6 ? remote.MapToIPv4() : remote).ToString());
        }

        w.WriteEndArray();
        var agent = context.Request.Headers.UserAgent.ToString();
        if (agent.Length > 0)
        {
            w.WriteString("userAgent", agent.Length > 1024 ? agent[..1024] + "...TRUNCATED" : agent);
        }
    }

    private void WriteReference(Utf8JsonWriter w)
    {
        var info = context.Info;
        if (!info.IsResource)
        {
            return;
        }

        w.WriteStartObject("objectRef");
        Write("resource", info.Resource);
        Write("namespace", info.Namespace);
        var meta = (context.RequestObject as KubeObject)?.Metadata;
        Write("name", info.Name.Length > 0 ? info.Name : meta?.Name ?? "");
        Write("uid", meta?.Uid ?? "");
        Write("apiGroup", info.Group);
        Write("apiVersion", info.Version);
        Write("resourceVersion", meta?.ResourceVersion ?? "");
        Write("subresource", info.Subresource);
        w.WriteEndObject();

        void Write(string name, string value)
        {
            if (value.Length > 0)
            {
                w.WriteString(name, value);
            }
        }
    }

    private static void WriteOutcome(Utf8JsonWriter w, int code, ApiException? error)
    {
        w.WritePropertyName("responseStatus");
        if (error is not null)
        {
            ApiJson.Write(w, error.Status);
            return;
        }

        w.WriteStartObject();
        w.WriteStartObject("metadata");
        w.WriteEndObject();
        w.WriteNumber("code", code);
        w.WriteEndObject();
    }

    private void WriteObjects(Utf8JsonWriter w, AuditStages stage)
    {
        if (WantsRequest && context.RequestObject is { } request)
        {
            WriteObject(w, "requestObject", request);
        }

        if (WantsResponse && stage == AuditStages.ResponseComplete && context.ResponseObject is { } response)
        {
            WriteObject(w, "responseObject", response);
        }
    }

    private void WriteObject(Utf8JsonWriter w, string name, ApiStruct value)
    {
        w.WritePropertyName(name);
        if (decision.OmitManagedFields && value is KubeObject { Metadata.ManagedFields: not null })
        {
            var copy = (KubeObject)value.DeepClone();
            copy.Metadata.ManagedFields = null;
            value = copy;
        }

        ApiJson.Write(w, value);
    }
}
