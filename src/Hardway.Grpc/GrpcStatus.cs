using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Hardway.Grpc;

/// <summary>Where a call's status comes from: trailers, trailers-only headers, the HTTP status, or the transport's failure.</summary>
internal static class GrpcStatus
{
    private const string StatusHeader = "grpc-status";
    private const string MessageHeader = "grpc-message";

    /// <summary>Checks what came with the response headers. A trailers-only response has its status here and no body.</summary>
    public static void ThrowUnlessGrpc(HttpResponseMessage response)
    {
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw new GrpcException(FromHttp(response.StatusCode), $"the server answered HTTP {(int)response.StatusCode}");
        }

        if (StatusFrom(response.Headers) is { } status and not StatusCode.Ok)
        {
            throw new GrpcException(status, MessageFrom(response.Headers));
        }

        if (response.Content.Headers.ContentType?.MediaType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) != true)
        {
            throw new GrpcException(StatusCode.Unknown, $"the server does not speak gRPC (content type \"{response.Content.Headers.ContentType}\")");
        }
    }

    /// <summary>Checks the status at the end of the body.</summary>
    public static void ThrowUnlessOk(HttpResponseMessage response)
    {
        HttpHeaders where = StatusFrom(response.TrailingHeaders) is not null ? response.TrailingHeaders : response.Headers;
        switch (StatusFrom(where))
        {
            case StatusCode.Ok: return;
            case null: throw new GrpcException(StatusCode.Unavailable, "the server ended the call without a status");
            case { } status: throw new GrpcException(status, MessageFrom(where));
        }
    }

    public static GrpcException FromTransport(Exception e, string target)
    {
        var detail = $"{target}: {Innermost(e).Message}";
        var protocol = e as HttpProtocolException ?? e.InnerException as HttpProtocolException;
        if (protocol is not null)
        {
            // RFC 9113 section 7 error codes, mapped as gRPC's protocol document says.
            return protocol.ErrorCode switch
            {
                0x7 => new GrpcException(StatusCode.Unavailable, detail, e, notSent: true),
                0x8 => new GrpcException(StatusCode.Cancelled, detail, e),
                0xb => new GrpcException(StatusCode.ResourceExhausted, detail, e),
                0xc => new GrpcException(StatusCode.PermissionDenied, detail, e),
                _ => new GrpcException(StatusCode.Unavailable, detail, e),
            };
        }

        var notSent = e is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError or HttpRequestError.VersionNegotiationError };
        return new GrpcException(StatusCode.Unavailable, detail, e, notSent);
    }

    /// <summary>grpc-timeout: at most eight digits and a unit.</summary>
    public static string FormatTimeout(TimeSpan left)
    {
        var milliseconds = Math.Max(1, (long)left.TotalMilliseconds);
        return milliseconds < 100_000_000 ? string.Create(CultureInfo.InvariantCulture, $"{milliseconds}m")
            : string.Create(CultureInfo.InvariantCulture, $"{Math.Min(99_999_999, milliseconds / 1000)}S");
    }

    /// <summary>Undoes grpc-message's percent encoding; what is not an encoding stays as it is.</summary>
    public static string PercentDecode(string text)
    {
        if (!text.Contains('%', StringComparison.Ordinal))
        {
            return text;
        }

        var bytes = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '%' && i + 2 < text.Length && byte.TryParse(text.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            {
                bytes.Add(value);
                i += 2;
            }
            else
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(text, i, 1));
            }
        }

        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    private static StatusCode? StatusFrom(HttpHeaders headers) =>
        !headers.TryGetValues(StatusHeader, out var values) ? null
        : int.TryParse(values.FirstOrDefault(), NumberStyles.None, CultureInfo.InvariantCulture, out var code) && code is >= 0 and <= 16 ? (StatusCode)code
        : StatusCode.Unknown;

    private static string MessageFrom(HttpHeaders headers) =>
        headers.TryGetValues(MessageHeader, out var values) ? PercentDecode(string.Join(",", values)) : "";

    private static StatusCode FromHttp(HttpStatusCode code) => (int)code switch
    {
        400 => StatusCode.Internal,
        401 => StatusCode.Unauthenticated,
        403 => StatusCode.PermissionDenied,
        404 => StatusCode.Unimplemented,
        429 or 502 or 503 or 504 => StatusCode.Unavailable,
        _ => StatusCode.Unknown,
    };

    private static Exception Innermost(Exception e) => e.InnerException is { } inner ? Innermost(inner) : e;
}
