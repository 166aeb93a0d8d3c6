using Hardway.ApiServer.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Hardway.ApiServer.Kubelets;

/// <summary>Hands a request on to a backend and its answer back, streaming both; headers that belong to one connection stay behind.</summary>
internal static class HttpForwarder
{
    private static readonly HashSet<string> s_hop = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Host", "Authorization", "Cookie",
    };

    /// <param name="context">The request.</param>
    /// <param name="invoker">Of the backend; where headers are added its handler has <see cref="Aggregation.RepeatedHeaders.Select"/>.</param>
    /// <param name="target">Where it goes.</param>
    /// <param name="flushAlways">Each part of the answer is passed on when it comes.</param>
    /// <param name="added">Headers in place of the client's own X-Remote- ones, a line each.</param>
    public static async Task ForwardAsync(RequestContext context, HttpMessageInvoker invoker, Uri target, bool flushAlways = false, IReadOnlyList<KeyValuePair<string, string>>? added = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), target) { Version = System.Net.HttpVersion.Version11 };
        Fill(context.Request, request);
        foreach (var header in (added ?? []).GroupBy(h => h.Key, h => h.Value, StringComparer.OrdinalIgnoreCase))
        {
            request.Headers.TryAddWithoutValidation(header.Key, Aggregation.RepeatedHeaders.Join(header));
        }

        HttpResponseMessage answer;
        try
        {
            answer = await invoker.SendAsync(request, context.Aborted).ConfigureAwait(false);
        }
        catch (HttpRequestException e) when (added is null)
        {
            throw NodeConnector.Unreachable(target, e);
        }

        using (answer)
        {
            await ReturnAsync(context, answer, flushAlways).ConfigureAwait(false);
        }
    }

    private static void Fill(HttpRequest from, HttpRequestMessage to)
    {
        if (from.Method is not ("GET" or "HEAD" or "OPTIONS") || from.ContentLength > 0)
        {
            to.Content = new StreamContent(from.Body);
        }

        foreach (var (name, values) in from.Headers)
        {
            if (name.StartsWith(':') || s_hop.Contains(name) || name.StartsWith("Impersonate-", StringComparison.OrdinalIgnoreCase) || name.StartsWith("X-Remote-", StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            if (!to.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values))
            {
                to.Content?.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
            }
        }
    }

    private static async Task ReturnAsync(RequestContext context, HttpResponseMessage answer, bool flushAlways)
    {
        var response = context.Response;
        response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers))
        {
            if (!s_hop.Contains(name))
            {
                response.Headers[name] = new StringValues([.. values]);
            }
        }

        var body = await answer.Content.ReadAsStreamAsync(context.Aborted).ConfigureAwait(false);
        if (!flushAlways)
        {
            await body.CopyToAsync(response.Body, context.Aborted).ConfigureAwait(false);
            return;
        }

        await response.StartAsync(context.Aborted).ConfigureAwait(false);
        await response.Body.FlushAsync(context.Aborted).ConfigureAwait(false);
        var buffer = new byte[32 * 1024];
        int read;
        while ((read = await body.ReadAsync(buffer, context.Aborted).ConfigureAwait(false)) > 0)
        {
            await response.Body.WriteAsync(buffer.AsMemory(0, read), context.Aborted).ConfigureAwait(false);
            await response.Body.FlushAsync(context.Aborted).ConfigureAwait(false);
        }
    }
}
