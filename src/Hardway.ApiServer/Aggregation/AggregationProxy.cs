using Hardway.Api.ApiRegistration.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Kubelets;
using Microsoft.AspNetCore.Http;

namespace Hardway.ApiServer.Aggregation;

/// <summary>
/// Passes requests for group versions of other servers on to them, streams and upgrades too. Who asks stands in X-Remote- headers, which the other
/// server believes because of this one's certificate; such headers of the client's own never pass.
/// </summary>
internal sealed class AggregationProxy(AggregatedApis apis, AggregatedBackend backend)
{
    private const string OpenApi = "/openapi/v3/apis/";

    /// <summary>False when the request is for this server.</summary>
    public async Task<bool> TryHandleAsync(RequestContext context)
    {
        if (Find(context.Info.Path) is not { Spec.Service: { } service } found)
        {
            return false;
        }

        if (!AggregatedApis.IsAvailable(found))
        {
            throw Statuses.Text(503, StatusReason.ServiceUnavailable, "service unavailable");
        }

        var target = AggregatedBackend.UriOf(service, context.Request.Path.ToUriComponent() + context.Request.QueryString.Value);
        try
        {
            if (context.Request.Headers.Upgrade.Count > 0)
            {
                var connection = await backend.ConnectAsync(found.Spec, context.Aborted).ConfigureAwait(false);
                await UpgradeTunnel.RunAsync(context, connection, target, [.. Identity(context.User)]).ConfigureAwait(false);
            }
            else
            {
                await HttpForwarder.ForwardAsync(context, backend.InvokerOf(found.Spec), target, flushAlways: true, [.. Identity(context.User)]).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is BackendException or HttpRequestException)
        {
            throw Statuses.Text(503, StatusReason.ServiceUnavailable, "error trying to reach service: " + (e.InnerException?.Message ?? e.Message));
        }

        return true;
    }

    /// <summary>Who a request is by, in the headers of the front-proxy contract, one line a value; keys of extras are escaped, as header names are few.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Identity(UserInfo user) => Values(user).Select(h => KeyValuePair.Create(h.Key, RepeatedHeaders.OneLine(h.Value)));

    private static IEnumerable<KeyValuePair<string, string>> Values(UserInfo user)
    {
        yield return new("X-Remote-User", user.Name);
        if (user.Uid.Length > 0)
        {
            yield return new("X-Remote-Uid", user.Uid);
        }

        foreach (var group in user.Groups)
        {
            yield return new("X-Remote-Group", group);
        }

        foreach (var (key, values) in user.Extra)
        {
            foreach (var value in values)
            {
                yield return new("X-Remote-Extra-" + Uri.EscapeDataString(key), value);
            }
        }
    }

    private APIService? Find(string path)
    {
        var rest = path.StartsWith("/apis/", StringComparison.Ordinal) ? path["/apis/".Length..]
            : path.StartsWith(OpenApi, StringComparison.Ordinal) ? path[OpenApi.Length..]
            : "";
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        if (slash <= 0)
        {
            return null;
        }

        var end = rest.IndexOf('/', slash + 1);
        return apis.Remote(rest[..slash], end < 0 ? rest[(slash + 1)..] : rest[(slash + 1)..end]);
    }
}
