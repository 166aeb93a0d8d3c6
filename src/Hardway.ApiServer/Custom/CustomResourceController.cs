using Hardway.Api;
using Hardway.Api.ApiExtensions.V1;
using Hardway.ApiServer.Admission.Dynamic;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Rules.ApiExtensions;
using Hardway.ApiServer.Serving;
using Hardway.Storage.Cache;
using Microsoft.Extensions.Logging;

namespace Hardway.ApiServer.Custom;

/// <summary>
/// Follows the definitions in the cache: accepts their names, serves those that are established, and when one is deleted deletes its objects
/// before it lets it go. Level-triggered: each change is answered by looking at all definitions.
/// <code>
///  created ──names free──► NamesAccepted, Established ──deleted──► Terminating, objects deleted ──► finalizer gone
///     └─────names taken──► NamesAccepted=False, not served until they are free
/// </code>
/// </summary>
internal sealed partial class CustomResourceController : IDisposable
{
    public const string Finalizer = "customresourcecleanup.apiextensions.k8s.io";
    private static readonly TimeSpan s_again = TimeSpan.FromMilliseconds(200);
    private static readonly string s_prefix = StorageLayout.CustomPrefix("apiextensions.k8s.io", "customresourcedefinitions") + "/";
    private readonly ApiServices _services;
    private readonly ILogger _log;
    private readonly WebhookClient _webhooks;
    private readonly Dictionary<string, (string Version, CustomKind? Kind)> _built = [];

    public CustomResourceController(ApiServices services)
    {
        _services = services;
        _log = services.Logs.CreateLogger("customresources");
        _webhooks = new WebhookClient(services.Reader);
    }

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using var watcher = _services.Objects.Cache.Watch(new CacheWatchRequest(s_prefix) { InitialState = true, InitialStateBookmark = true });
                while (watcher is not null && await watcher.WaitToReadAsync(stop).ConfigureAwait(false))
                {
                    while (watcher.TryRead(out _))
                    {
                        // What counts is the state after all of them.
                    }

                    while (await ReconcileAsync(stop).ConfigureAwait(false))
                    {
                        await Task.Delay(s_again, _services.Time, stop).ConfigureAwait(false);
                    }
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

            await Task.Delay(TimeSpan.FromSeconds(1), _services.Time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public void Dispose() => _webhooks.Dispose();

    /// <summary>True when some definition has to be looked at again soon: its objects are not gone yet.</summary>
    private async Task<bool> ReconcileAsync(CancellationToken cancellationToken)
    {
        var all = _services.Reader.List<CustomResourceDefinition>().OrderBy(d => d.Metadata.CreationTimestamp).ThenBy(d => d.Metadata.ResourceVersion.Length).ThenBy(d => d.Metadata.ResourceVersion, StringComparer.Ordinal).ToList();
        // Served before it is said: who reads Established finds the kind there. Each is judged by what those before it are given.
        for (var i = 0; i < all.Count; i++)
        {
            all[i] = all[i].Metadata.DeletionTimestamp is null ? Judged(all[i], all) : all[i];
        }

        Serve(all);
        var again = false;
        foreach (var definition in all)
        {
            if (definition.Metadata.DeletionTimestamp is not null)
            {
                again |= await CleanUpAsync(definition, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                await _services.Writer.UpdateStatusAsync<CustomResourceDefinition>("", definition.Metadata.Name, current =>
                    Judged(current, all) is var judged && ApiStruct.DeepEquals(current.Status, judged.Status) ? null : judged, cancellationToken).ConfigureAwait(false);
            }
        }

        return again;
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
            var version = $"{definition.Metadata.Uid}/{definition.Metadata.Generation}/{definition.Metadata.DeletionTimestamp is null}/{definition.Status.AcceptedNames}";
            if (!_built.TryGetValue(definition.Metadata.Name, out var built) || built.Version != version)
            {
                _built[definition.Metadata.Name] = (version, Build(definition));
                changed = true;
            }
        }

        if (changed)
        {
            _services.Scheme.Custom = new CustomResources([.. _built.Values.SelectMany(b => b.Kind?.Served ?? [])]);
        }
    }

    /// <summary>A definition that cannot be served (a pattern that is none, say) is not, and the others are.</summary>
    private CustomKind? Build(CustomResourceDefinition definition)
    {
        try
        {
            return new CustomKind(definition, definition.Spec.Conversion is { Strategy: "Webhook", Webhook: { } webhook } ? new WebhookConversion(definition.Metadata.Name, webhook, _webhooks) : RenamingConversion.Instance);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or ApiDecodeException or NotSupportedException)
        {
            LogUnservable(_log, definition.Metadata.Name, e.Message);
            return null;
        }
    }

    private static bool IsEstablished(CustomResourceDefinition definition) => definition.Status.Conditions?.Exists(c => c is { Type: "Established", Status: "True" }) == true;

    /// <summary>The definition with the status that it is to have.</summary>
    private CustomResourceDefinition Judged(CustomResourceDefinition definition, List<CustomResourceDefinition> all)
    {
        var judged = definition.Clone();
        var status = judged.Status;
        var (accepted, conflict) = NameConflicts.Of(judged, all);
        status.AcceptedNames = accepted;
        Set(status, "NamesAccepted", conflict is null, conflict?.Reason ?? "NoConflicts", conflict?.Message ?? "no conflicts found");
        if (!IsEstablished(judged))
        {
            Set(status, "Established", conflict is null, conflict is null ? "InitialNamesAccepted" : "NotAccepted", conflict is null ? "the initial names have been accepted" : "not all names are accepted");
        }

        Approve(judged);
        return judged;
    }

    /// <summary>Of the community's groups: whether the API has been approved (KEP-1111).</summary>
    private void Approve(CustomResourceDefinition definition)
    {
        if (!ApiApproval.IsProtected(definition.Spec.Group))
        {
            definition.Status.Conditions?.RemoveAll(c => c.Type == "KubernetesAPIApprovalPolicyConformant");
            return;
        }

        var (state, message) = ApiApproval.Of(definition.Metadata.Annotations);
        Set(definition.Status, "KubernetesAPIApprovalPolicyConformant", state == ApprovalState.Approved, state switch
        {
            ApprovalState.Approved => "ApprovedAnnotation",
            ApprovalState.Bypassed => "UnapprovedAnnotation",
            ApprovalState.Missing => "MissingAnnotation",
            _ => "InvalidAnnotation",
        }, message);
    }

    private void Set(CustomResourceDefinitionStatus status, string type, bool isTrue, string reason, string message) =>
        DefinitionConditions.Set(status, type, isTrue, reason, message, CreatePipeline.Seconds(_services.Time.GetUtcNow()));

    /// <summary>True while there are objects left.</summary>
    private async Task<bool> CleanUpAsync(CustomResourceDefinition definition, CancellationToken cancellationToken)
    {
        if (definition.Metadata.Finalizers?.Contains(Finalizer) != true)
        {
            return false;
        }

        var kind = _built.TryGetValue(definition.Metadata.Name, out var built) ? built.Kind : IsEstablished(definition) ? Build(definition) : null;
        if (kind is not null && await DeleteAllAsync(kind, cancellationToken).ConfigureAwait(false))
        {
            await _services.Writer.UpdateStatusAsync<CustomResourceDefinition>("", definition.Metadata.Name, current =>
            {
                var before = current.Clone();
                Set(current.Status, "Terminating", true, "InstanceDeletionInProgress", "CustomResource deletion is in progress");
                return ApiStruct.DeepEquals(before.Status, current.Status) ? null : current;
            }, cancellationToken).ConfigureAwait(false);
            return true;
        }

        await _services.Writer.UpdateAsync<CustomResourceDefinition>("", definition.Metadata.Name, current => current.Metadata.Finalizers?.Remove(Finalizer) == true ? current : null, cancellationToken).ConfigureAwait(false);
        return false;
    }

    private async Task<bool> DeleteAllAsync(CustomKind kind, CancellationToken cancellationToken)
    {
        // A kind may be stored without being served: it is deleted as its storage version.
        var resource = new ServedResource(kind.Storage.Info, new ResourceRegistry(kind.Storage.Info, kind.Storage.Rules, kind.Prefix) { Custom = kind.Storage });
        var prefix = resource.Registry.Collection("");
        var left = _services.Objects.Cache.Snapshot(prefix).Range(prefix).ToList();
        foreach (var item in left)
        {
            try
            {
                await _services.Delete.RunAsync(new DeleteRequest(resource, item.Namespace, item.Name, new Hardway.Api.Meta.V1.DeleteOptions()) { User = UserInfo.ApiServer, SkipsAdmission = true }, cancellationToken).ConfigureAwait(false);
            }
            catch (ApiException e) when (e.IsNotFound)
            {
                // Gone meanwhile.
            }
        }

        return left.Count > 0;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Custom resource {Name} cannot be served: {Reason}")]
    private static partial void LogUnservable(ILogger logger, string name, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Custom resources could not be brought up to date: {Reason}")]
    private static partial void LogFailed(ILogger logger, string reason);
}
