using Hardway.Api;
using Hardway.Api.ApiRegistration.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Rules.ApiRegistration;
using Hardway.ApiServer.Serving;
using Hardway.Storage;
using Microsoft.Extensions.Logging;

namespace Hardway.ApiServer.Aggregation;

/// <summary>
/// Keeps APIServices: makes one for each group version that this server serves itself, and asks the servers behind the others whether they
/// answer, which is their condition Available. Looks once a second; asks a server again every half minute, or at once when something changed.
/// </summary>
internal sealed partial class APIServiceController(ApiServices services, AggregatedApis apis, AggregatedBackend backend)
{
    private const string Managed = "kube-aggregator.kubernetes.io/automanaged";
    private const int LargestDiscovery = 8 << 20;
    private static readonly TimeSpan s_round = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_good = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_bad = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(5);
    private readonly ILogger _log = services.Logs.CreateLogger("apiservices");
    private readonly Dictionary<string, Checked> _checked = new(StringComparer.Ordinal);
    private (CustomResources? Custom, long Generation) _registered;

    /// <summary>Made by a server for what it serves itself.</summary>
    public static bool IsManaged(APIService service) => service.Spec.Service is null && service.Metadata.Labels?.ContainsKey(Managed) == true;

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                // The servers behind the others first: what cannot be registered here is no fault of theirs.
                await CheckAllAsync(stop).ConfigureAwait(false);
                await RegisterAsync(stop).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is StoreException or ApiException)
            {
                LogFailed(_log, e.Message);
            }

            await Task.Delay(s_round, services.Time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>One for each group version served here: those of custom resources go with their last definition.</summary>
    private async Task RegisterAsync(CancellationToken cancellationToken)
    {
        var custom = services.Scheme.Custom;
        var now = (custom, services.Reader.Generation<APIService>());
        if (_registered == now)
        {
            return;
        }

        var there = services.Reader.List<APIService>().ToDictionary(s => s.Metadata.Name, StringComparer.Ordinal);
        var wanted = services.Scheme.BuiltIn.Select(r => (r.Info.Group, r.Info.Version, IsCustom: false)).Concat(custom.Served.Select(r => (r.Info.Group, r.Info.Version, IsCustom: true))).Distinct();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (group, version, isCustom) in wanted)
        {
            var made = Local(group, version, isCustom);
            names.Add(made.Metadata.Name);
            if (!there.ContainsKey(made.Metadata.Name))
            {
                await CreateAsync(made, cancellationToken).ConfigureAwait(false);
            }
        }

        foreach (var (name, service) in there)
        {
            if (service.Metadata.Labels?.GetValueOrDefault(Managed) == "true" && service.Spec.Service is null && !names.Contains(name))
            {
                await services.Writer.DeleteAsync<APIService>("", name, cancellationToken).ConfigureAwait(false);
            }
        }

        _registered = (custom, services.Reader.Generation<APIService>());
    }

    private static APIService Local(string group, string version, bool isCustom)
    {
        var (groupPriority, versionPriority) = isCustom ? (GroupPriorities.Custom, GroupPriorities.CustomVersion) : GroupPriorities.Of(group, version);
        return new APIService
        {
            Metadata = { Name = version + "." + group, Labels = new Dictionary<string, string> { [Managed] = isCustom ? "true" : "onstart" } },
            Spec = { Group = group, Version = version, GroupPriorityMinimum = groupPriority, VersionPriority = versionPriority },
        };
    }

    private async Task CreateAsync(APIService service, CancellationToken cancellationToken)
    {
        try
        {
            await services.Writer.CreateAsync(service, cancellationToken).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            // Another server was faster.
        }
    }

    private async Task CheckAllAsync(CancellationToken cancellationToken)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var service in apis.All)
        {
            names.Add(service.Metadata.Name);
            if (service.Spec.Service is not null)
            {
                await CheckAsync(service, cancellationToken).ConfigureAwait(false);
            }
            else if (!AggregatedApis.IsAvailable(service))
            {
                await SetAsync(service, APIServiceRules.Local(Now()), cancellationToken).ConfigureAwait(false);
            }
        }

        apis.Forget(names);
        foreach (var gone in _checked.Keys.Except(names).ToList())
        {
            _checked.Remove(gone);
        }
    }

    private async Task CheckAsync(APIService service, CancellationToken cancellationToken)
    {
        var reference = service.Spec.Service!;
        ServiceEndpoints.Find(services.Reader, reference.Namespace, reference.Name, reference.Port ?? 443, out var fault);
        var name = service.Metadata.Name;
        var last = _checked.GetValueOrDefault(name);
        var spec = service.Spec.ToString();
        if (fault is null && last is not null && last.Spec == spec && services.Time.GetElapsedTime(last.At) < (last.Fault is null ? s_good : s_bad))
        {
            fault = last.Fault;
        }
        else if (fault is null)
        {
            fault = await AskAsync(service, cancellationToken).ConfigureAwait(false);
            _checked[name] = new Checked(services.Time.GetTimestamp(), spec, fault);
        }
        else
        {
            _checked.Remove(name);
        }

        if (fault is not null)
        {
            apis.Discovered(service, null);
        }

        await SetAsync(service, fault is null
            ? new APIServiceCondition { Type = "Available", Status = "True", Reason = "Passed", Message = "all checks passed" }
            : new APIServiceCondition { Type = "Available", Status = "False", Reason = fault.Reason, Message = fault.Message }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Its discovery of the group version must answer, and is kept for this server's own.</summary>
    private async Task<ServiceFault?> AskAsync(APIService service, CancellationToken cancellationToken)
    {
        var path = $"/apis/{service.Spec.Group}/{service.Spec.Version}";
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(s_timeout);
        try
        {
            var (status, body) = await GetAsync(service, path, limited.Token).ConfigureAwait(false);
            if (status is < 200 or >= 300)
            {
                return new ServiceFault("FailedDiscoveryCheck", $"failing or missing response from {path}: bad status, got {status}");
            }

            var resources = (ApiJson.DeserializeTree(body) as Dictionary<string, object?>)?.GetValueOrDefault("resources") as List<object?> ?? [];
            apis.Discovered(service, new RemoteDiscovery([.. resources.OfType<Dictionary<string, object?>>()], await OpenApiAsync(service, limited.Token).ConfigureAwait(false)));
            return null;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or ApiDecodeException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return new ServiceFault("FailedDiscoveryCheck", $"failing or missing response from {path}: {e.InnerException?.Message ?? e.Message}");
        }
    }

    /// <summary>Where its /openapi/v3 has the document; it may have none.</summary>
    private async Task<string> OpenApiAsync(APIService service, CancellationToken cancellationToken)
    {
        var (status, body) = await GetAsync(service, "/openapi/v3", cancellationToken).ConfigureAwait(false);
        if (status != 200 || ApiJson.DeserializeTree(body) is not Dictionary<string, object?> index)
        {
            return "";
        }

        var entry = (index.GetValueOrDefault("paths") as Dictionary<string, object?>)?.GetValueOrDefault($"apis/{service.Spec.Group}/{service.Spec.Version}") as Dictionary<string, object?>;
        return entry?.GetValueOrDefault("serverRelativeURL") as string ?? "";
    }

    private async Task<(int Status, byte[] Body)> GetAsync(APIService service, string path, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, AggregatedBackend.UriOf(service.Spec.Service!, path)) { Version = System.Net.HttpVersion.Version11 };
        request.Headers.TryAddWithoutValidation("Accept", "application/json");
        foreach (var (name, value) in AggregationProxy.Identity(new UserInfo("system:kube-aggregator") { Groups = [UserInfo.MastersGroup] }))
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await backend.InvokerOf(service.Spec).SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (response.Content.Headers.ContentLength > LargestDiscovery)
        {
            throw new IOException("the answer is too large");
        }

        await response.Content.LoadIntoBufferAsync(LargestDiscovery, cancellationToken).ConfigureAwait(false);
        return ((int)response.StatusCode, await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false));
    }

    private async Task SetAsync(APIService service, APIServiceCondition wanted, CancellationToken cancellationToken)
    {
        if (service.Status.Conditions is [var only] && Same(only, wanted))
        {
            return;
        }

        try
        {
            await services.Writer.UpdateStatusAsync<APIService>("", service.Metadata.Name, current =>
            {
                var conditions = current.Status.Conditions ??= [];
                var before = conditions.Find(c => c.Type == wanted.Type);
                if (before is not null && Same(before, wanted))
                {
                    return null;
                }

                wanted.LastTransitionTime = before is not null && before.Status == wanted.Status ? before.LastTransitionTime : Now();
                conditions.RemoveAll(c => c.Type == wanted.Type);
                conditions.Add(wanted);
                return current;
            }, cancellationToken).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // Deleted meanwhile.
        }
    }

    private DateTimeOffset Now() => CreatePipeline.Seconds(services.Time.GetUtcNow());

    private static bool Same(APIServiceCondition a, APIServiceCondition b) => a.Type == b.Type && a.Status == b.Status && a.Reason == b.Reason && a.Message == b.Message;

    [LoggerMessage(Level = LogLevel.Warning, Message = "APIServices could not be brought up to date: {Reason}")]
    private static partial void LogFailed(ILogger logger, string reason);

    private sealed record Checked(long At, string Spec, ServiceFault? Fault);
}
