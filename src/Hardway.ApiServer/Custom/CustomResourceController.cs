using Hardway.Api;
using Hardway.Api.ApiExtensions.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Serving;
using Hardway.Storage.Cache;
using Microsoft.Extensions.Logging;

namespace Hardway.ApiServer.Custom;

/// <summary>
/// Follows the definitions in the cache: accepts their names, serves those that are established, and when one is deleted deletes its objects
/// before it lets it go. Level-triggered: each change is answered by looking at all definitions.
/// </summary>
internal sealed partial class CustomResourceController(ApiServices services)
{
    public const string Finalizer = "customresourcecleanup.apiextensions.k8s.io";
    private static readonly string s_prefix = StorageLayout.CustomPrefix("apiextensions.k8s.io", "customresourcedefinitions") + "/";
    private readonly ILogger _log = services.Logs.CreateLogger("customresources");
    private readonly Dictionary<string, (string Version, List<ServedResource> Served)> _built = [];

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using var watcher = services.Objects.Cache.Watch(new CacheWatchRequest(s_prefix) { InitialState = true, InitialStateBookmark = true });
                while (watcher is not null && await watcher.WaitToReadAsync(stop).ConfigureAwait(false))
                {
                    while (watcher.TryRead(out _))
                    {
                        // What counts is the state after all of them.
                    }

                    await ReconcileAsync(stop).ConfigureAwait(false);
                }
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // The top of the loop: whatever a definition brings, the server goes on.
                LogFailed(_log, e.Message);
            }

            await Task.Delay(TimeSpan.FromSeconds(1), services.Time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ReconcileAsync(CancellationToken cancellationToken)
    {
        var all = services.Reader.List<CustomResourceDefinition>().OrderBy(d => d.Metadata.CreationTimestamp).ToList();
        Serve(all);
        foreach (var definition in all)
        {
            if (definition.Metadata.DeletionTimestamp is not null)
            {
                await CleanUpAsync(definition, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                await AcceptAsync(definition, all, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>What is established is served as it stands now; what has not changed stays the same object, so that documents made from it stay good.</summary>
    private void Serve(List<CustomResourceDefinition> all)
    {
        var changed = false;
        var established = all.Where(IsEstablished).ToList();
        foreach (var gone in _built.Keys.Except(established.Select(d => d.Metadata.Name)).ToList())
        {
            _built.Remove(gone);
            changed = true;
        }

        foreach (var definition in established)
        {
            var version = definition.Metadata.Uid + "/" + definition.Metadata.Generation;
            if (!_built.TryGetValue(definition.Metadata.Name, out var built) || built.Version != version)
            {
                _built[definition.Metadata.Name] = (version, Build(definition));
                changed = true;
            }
        }

        if (changed)
        {
            services.Scheme.Custom = new CustomResources([.. _built.Values.SelectMany(b => b.Served)]);
        }
    }

    /// <summary>A definition that cannot be served (a pattern that is none, say) is not, and the others are.</summary>
    private List<ServedResource> Build(CustomResourceDefinition definition)
    {
        try
        {
            return [.. CustomResourceBuilder.Build(definition)];
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or ApiDecodeException or NotSupportedException)
        {
            LogUnservable(_log, definition.Metadata.Name, e.Message);
            return [];
        }
    }

    private static bool IsEstablished(CustomResourceDefinition definition) => definition.Status.Conditions?.Exists(c => c is { Type: "Established", Status: "True" }) == true;

    private async Task AcceptAsync(CustomResourceDefinition definition, List<CustomResourceDefinition> all, CancellationToken cancellationToken)
    {
        var name = definition.Metadata.Name;
        var conflict = all.Find(o => o.Metadata.Name != name && o.Spec.Group == definition.Spec.Group && IsEstablished(o) && Overlap(o.Status.AcceptedNames, definition.Spec.Names));
        await services.Writer.UpdateStatusAsync<CustomResourceDefinition>("", name, current =>
        {
            var before = current.Clone();
            var status = current.Status;
            if (conflict is null)
            {
                status.AcceptedNames = current.Spec.Names.Clone();
            }

            Set(status, "NamesAccepted", conflict is null, conflict is null ? "NoConflicts" : "KindConflict", conflict is null ? "no conflicts found" : $"a name is already in use by {conflict.Metadata.Name}");
            if (conflict is null)
            {
                Set(status, "Established", true, "InitialNamesAccepted", "the initial names have been accepted");
            }
            else if (!IsEstablished(current))
            {
                Set(status, "Established", false, "NotAccepted", "not all names are accepted");
            }

            return Hardway.Api.ApiStruct.DeepEquals(before.Status, status) ? null : current;
        }, cancellationToken).ConfigureAwait(false);
    }

    private static bool Overlap(CustomResourceDefinitionNames a, CustomResourceDefinitionNames b) => All(a).Intersect(All(b)).Any() || a.Kind == b.Kind || (a.ListKind.Length > 0 && a.ListKind == b.ListKind);

    private static IEnumerable<string> All(CustomResourceDefinitionNames names) => [names.Plural, names.Singular, .. names.ShortNames ?? []];

    private void Set(CustomResourceDefinitionStatus status, string type, bool isTrue, string reason, string message)
    {
        var conditions = status.Conditions ??= [];
        var value = isTrue ? "True" : "False";
        var condition = conditions.Find(c => c.Type == type);
        if (condition is null)
        {
            conditions.Add(condition = new CustomResourceDefinitionCondition { Type = type });
        }

        if (condition.Status != value)
        {
            condition.LastTransitionTime = CreatePipeline.Seconds(services.Time.GetUtcNow());
        }

        (condition.Status, condition.Reason, condition.Message) = (value, reason, message);
    }

    private async Task CleanUpAsync(CustomResourceDefinition definition, CancellationToken cancellationToken)
    {
        if (definition.Metadata.Finalizers?.Contains(Finalizer) != true)
        {
            return;
        }

        var served = _built.TryGetValue(definition.Metadata.Name, out var built) ? built.Served : Build(definition);
        if ((served.Find(s => s.IsStorageVersion) ?? served.FirstOrDefault()) is { } resource)
        {
            var left = services.Objects.Cache.Snapshot(resource.Registry.Collection("")).Range(resource.Registry.Collection("")).ToList();
            foreach (var item in left)
            {
                try
                {
                    await services.Delete.RunAsync(new DeleteRequest(resource, item.Namespace, item.Name, new Hardway.Api.Meta.V1.DeleteOptions()) { User = UserInfo.ApiServer, SkipsAdmission = true }, cancellationToken).ConfigureAwait(false);
                }
                catch (ApiException e) when (e.IsNotFound)
                {
                    // Gone meanwhile.
                }
            }

            if (left.Count > 0)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), services.Time, cancellationToken).ConfigureAwait(false);
                await CleanUpAsync(definition, cancellationToken).ConfigureAwait(false);
                return;
            }
        }

        await services.Writer.UpdateAsync<CustomResourceDefinition>("", definition.Metadata.Name, current => current.Metadata.Finalizers?.Remove(Finalizer) == true ? current : null, cancellationToken).ConfigureAwait(false);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Custom resource {Name} cannot be served: {Reason}")]
    private static partial void LogUnservable(ILogger logger, string name, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Custom resources could not be brought up to date: {Reason}")]
    private static partial void LogFailed(ILogger logger, string reason);
}
