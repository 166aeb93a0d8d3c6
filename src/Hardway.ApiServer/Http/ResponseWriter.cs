using System.Buffers;
using System.Globalization;
using System.IO.Compression;
using Hardway.Api;
using Hardway.Api.Protobuf;
using Hardway.ApiServer.Errors;
using Microsoft.AspNetCore.Http;

namespace Hardway.ApiServer.Http;

/// <summary>Writes answers: encoded objects as they are, others encoded; YAML, protobuf and gzip on request; warnings as headers.</summary>
internal static class ResponseWriter
{
    private const int GzipFrom = 128 * 1024;
    private static readonly string[] s_ofFilters = ["Audit-Id", "X-Kubernetes-PF-FlowSchema-UID", "X-Kubernetes-PF-PriorityLevel-UID", "Strict-Transport-Security"];

    public static Task WriteAsync(RequestContext context, int code, ApiStruct value, MediaType media = MediaType.Json) => media == MediaType.Protobuf
        ? WriteProtobufAsync(context, code, ApiProtobuf.Serialize(value))
        : WriteJsonAsync(context, code, ApiJson.Serialize(value), media);

    /// <summary>A body in protobuf, envelope and all.</summary>
    public static Task WriteProtobufAsync(RequestContext context, int code, ReadOnlyMemory<byte> body) => WriteBytesAsync(context, code, body, ApiProtobuf.MediaType);

    public static Task WriteBytesAsync(RequestContext context, int code, ReadOnlyMemory<byte> body, string type)
    {
        context.Response.StatusCode = code;
        Headers(context);
        context.Response.ContentType = type;
        return SendAsync(context, body);
    }

    public static async Task WriteJsonAsync(RequestContext context, int code, ReadOnlyMemory<byte> json, MediaType media = MediaType.Json, string jsonType = "application/json")
    {
        var response = context.Response;
        response.StatusCode = code;
        Headers(context);
        if (media == MediaType.Yaml)
        {
            response.ContentType = "application/yaml";
            json = YamlText.FromJson(json.Span);
        }
        else
        {
            response.ContentType = jsonType;
            if (IsPretty(context.Request))
            {
                json = JsonText.Indent(json.Span);
            }
        }

        await SendAsync(context, json).ConfigureAwait(false);
    }

    private static async Task SendAsync(RequestContext context, ReadOnlyMemory<byte> body)
    {
        var response = context.Response;
        if (body.Length >= GzipFrom && AcceptsGzip(context.Request))
        {
            response.Headers.ContentEncoding = "gzip";
            response.Headers.Vary = "Accept-Encoding";
            await using var zip = new GZipStream(response.Body, CompressionLevel.Fastest, leaveOpen: true);
            await zip.WriteAsync(body, context.Aborted).ConfigureAwait(false);
            return;
        }

        response.ContentLength = body.Length;
        await response.BodyWriter.WriteAsync(body, context.Aborted).ConfigureAwait(false);
    }

    /// <summary>
    /// Writes a large body of JSON from its parts as they are, without putting them together first. For clients that want neither YAML nor indentation
    /// (<see cref="TakesParts"/>).
    /// </summary>
    public static async Task WritePartsAsync(RequestContext context, long length, IEnumerable<ReadOnlyMemory<byte>> parts)
    {
        const int FlushFrom = 32 * 1024;
        var response = context.Response;
        response.StatusCode = 200;
        Headers(context);
        response.ContentType = "application/json";
        if (length >= GzipFrom && AcceptsGzip(context.Request))
        {
            response.Headers.ContentEncoding = "gzip";
            response.Headers.Vary = "Accept-Encoding";
            await using var zip = new GZipStream(response.Body, CompressionLevel.Fastest, leaveOpen: true);
            foreach (var part in parts)
            {
                await zip.WriteAsync(part, context.Aborted).ConfigureAwait(false);
            }

            return;
        }

        response.ContentLength = length;
        var output = response.BodyWriter;
        var pending = 0;
        foreach (var part in parts)
        {
            output.Write(part.Span);
            pending += part.Length;
            if (pending > FlushFrom)
            {
                pending = 0;
                await output.FlushAsync(context.Aborted).ConfigureAwait(false);
            }
        }

        await output.FlushAsync(context.Aborted).ConfigureAwait(false);
    }

    public static bool TakesParts(RequestContext context, MediaType media) => media == MediaType.Json && !IsPretty(context.Request);

    public static Task WriteTextAsync(RequestContext context, int code, string text, string type = "text/plain; charset=utf-8")
    {
        context.Response.StatusCode = code;
        context.Response.ContentType = type;
        return context.Response.WriteAsync(text, context.Aborted);
    }

    /// <summary>The one place where an error becomes an answer. Nothing is written when the answer has begun already.</summary>
    public static async Task WriteErrorAsync(RequestContext context, ApiException error)
    {
        if (context.Response.HasStarted)
        {
            context.Http.Abort();
            return;
        }

        var status = error.Status;
        Clear(context.Response);
        if (status.Details?.RetryAfterSeconds is > 0 and var seconds)
        {
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        if (status.Code == 401)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer realm=\"kubernetes-master\"";
        }

        context.ResponseObject = status;
        if (error.Text is { } text)
        {
            context.Response.Headers.XContentTypeOptions = "nosniff";
            await WriteTextAsync(context, status.Code, text).ConfigureAwait(false);
            return;
        }

        var media = MediaType.Json;
        try
        {
            media = Negotiation.Of(context.Request).Media;
        }
        catch (ApiException)
        {
            // What the client accepts we do not have: it gets JSON.
        }

        await WriteAsync(context, status.Code == 0 ? 500 : status.Code, status, media).ConfigureAwait(false);
    }

    /// <summary>Forgets what a handler had begun; what the filters said of the request stays.</summary>
    private static void Clear(HttpResponse response)
    {
        var kept = s_ofFilters.Select(name => (Name: name, Value: response.Headers[name])).Where(h => h.Value.Count > 0).ToList();
        response.Clear();
        foreach (var (name, value) in kept)
        {
            response.Headers[name] = value;
        }
    }

    public static void Headers(RequestContext context)
    {
        var headers = context.Response.Headers;
        if (headers.CacheControl.Count == 0)
        {
            headers.CacheControl = "no-cache, private";
        }

        foreach (var warning in context.Warnings)
        {
            headers.Append("Warning", "299 - \"" + Escape(warning) + "\"");
        }
    }

    private static string Escape(string text)
    {
        var clean = string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)).Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
        return clean.All(char.IsAscii) ? clean : string.Concat(clean.Select(c => char.IsAscii(c) ? c : '?'));
    }

    private static bool AcceptsGzip(HttpRequest request) => request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase);

    private static bool IsPretty(HttpRequest request) => request.Query.TryGetValue("pretty", out var pretty) && RequestInfoResolver.IsTrue(pretty);
}
