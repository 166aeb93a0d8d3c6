using Hardway.Api;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Admission;
using Hardway.ApiServer.Errors;
using Hardway.Storage.Cache;

namespace Hardway.ApiServer.Registry;

/// <summary>What a delete brought: the object's last or present state, and whether it has gone.</summary>
internal sealed record Deletion(KubeObject Value, ReadOnlyMemory<byte> Json, bool Gone);

/// <summary>
/// Deletes an object: at once, or by marking it when its kind has a grace period or somebody holds it by a finalizer.
/// <code>
///  live ──delete──► deletionTimestamp set, finalizers and grace period pending ──last finalizer gone, grace 0──► gone
///    └───────────── no grace, no finalizers ─────────────────────────────────────────────────────────────────────►┘
/// </code>
/// </summary>
internal sealed class DeletePipeline(PipelineParts parts)
{
    private const string OrphanFinalizer = "orphan";
    private const string ForegroundFinalizer = "foregroundDeletion";
    private const int MostTries = 20;

    public async Task<Deletion> RunAsync(DeleteRequest request, CancellationToken cancellationToken)
    {
        var registry = request.Resource.Registry;
        CheckOptions(request.How);
        var current = await parts.Objects.FreshAsync(registry, request.Namespace, request.Name, cancellationToken).ConfigureAwait(false);
        for (var attempt = 0; attempt < MostTries; attempt++)
        {
            if (current is null)
            {
                throw Statuses.NotFound(registry.Group, registry.Resource, request.Name);
            }

            var (done, now) = await OnceAsync(request, current, cancellationToken).ConfigureAwait(false);
            if (done is not null)
            {
                return done;
            }

            current = now;
        }

        throw Statuses.Conflict(registry.Group, registry.Resource, request.Name, "the object is being changed by others too often; please try again");
    }

    public static void CheckPreconditions(Preconditions wanted, ResourceRegistry registry, string name, KubeObject value)
    {
        if (wanted.Uid is { } uid && uid != value.Metadata.Uid)
        {
            throw Statuses.Conflict(registry.Group, registry.Resource, name, $"Precondition failed: UID in precondition: {uid}, UID in object meta: {value.Metadata.Uid}");
        }

        if (wanted.ResourceVersion is { } version && version != value.Metadata.ResourceVersion)
        {
            throw Statuses.Conflict(registry.Group, registry.Resource, name, $"Precondition failed: ResourceVersion in precondition: {version}, ResourceVersion in object meta: {value.Metadata.ResourceVersion}");
        }
    }

    public static void CheckOptions(DeleteOptions options)
    {
        var errors = new ErrorList();
        if (options.PropagationPolicy is { } policy && policy is not ("Foreground" or "Background" or "Orphan"))
        {
            errors.NotSupported(FieldPath.Of("propagationPolicy"), policy, "Foreground", "Background", "Orphan", "nil");
        }

        if (options.PropagationPolicy is not null && options.OrphanDependents is not null)
        {
            errors.Invalid(FieldPath.Of("propagationPolicy"), options.PropagationPolicy, "orphanDependents and deletionPropagation cannot be both set");
        }

        _ = Http.WriteOptions.ReadDryRun(options.DryRun ?? [], errors);
        if (errors.Any)
        {
            throw Statuses.Invalid("meta.k8s.io", "DeleteOptions", "", errors);
        }
    }

    private async Task<(Deletion? Done, CachedObject? Now)> OnceAsync(DeleteRequest request, CachedObject current, CancellationToken cancellationToken)
    {
        var registry = request.Resource.Registry;
        var options = request.How;
        var shown = await ObjectStore.ShowAsync(registry, ObjectStore.Good(current, registry)!, cancellationToken).ConfigureAwait(false);
        var old = ObjectStore.Decode(registry, shown);
        if (options.Preconditions is { } wanted)
        {
            CheckPreconditions(wanted, registry, request.Name, old);
        }

        if (!request.SkipsAdmission)
        {
            var attributes = parts.Attributes(request, AdmissionOperation.Delete, request.Name, null, old);
            await parts.Admission.AdmitAsync(attributes, cancellationToken).ConfigureAwait(false);
            await parts.Admission.ValidateAsync(attributes, cancellationToken).ConfigureAwait(false);
        }

        var value = (KubeObject)old.DeepClone();
        var changed = Mark(value, registry.Rules, options);
        if (value.Metadata.Finalizers is null or { Count: 0 } && value.Metadata.DeletionGracePeriodSeconds is null or 0 && !registry.Rules.Holds(value))
        {
            if (request.DryRun)
            {
                return (new Deletion(value, ObjectBytes.WithResourceVersion(StoredForm.Encode(registry, value), current.ResourceVersion), true), null);
            }

            var deleted = await parts.Objects.DeleteAsync(current.Key, current.ResourceVersion, cancellationToken).ConfigureAwait(false);
            if (!deleted.Succeeded)
            {
                return (null, deleted.Current is { } entry ? ObjectStore.FromEntry(registry, entry) : null);
            }

            await parts.Allocators.OnDeleteAsync(registry, old, cancellationToken).ConfigureAwait(false);
            return (new Deletion(value, ObjectBytes.WithResourceVersion(StoredForm.Encode(registry, value), deleted.Revision), true), null);
        }

        if (!changed)
        {
            return (new Deletion(old, shown.Json, false), null);
        }

        return await StoreMarkAsync(request, current, value, cancellationToken).ConfigureAwait(false);
    }

    private async Task<(Deletion? Done, CachedObject? Now)> StoreMarkAsync(DeleteRequest request, CachedObject current, KubeObject value, CancellationToken cancellationToken)
    {
        var registry = request.Resource.Registry;
        var bytes = StoredForm.Encode(registry, value);
        if (request.DryRun)
        {
            return (new Deletion(value, ObjectBytes.WithResourceVersion(bytes, current.ResourceVersion), false), null);
        }

        var write = await parts.Objects.UpdateAsync(registry, current.Key, value, bytes, current.ResourceVersion, cancellationToken).ConfigureAwait(false);
        if (!write.Succeeded)
        {
            return (null, write.Current is { } entry ? ObjectStore.FromEntry(registry, entry) : null);
        }

        value.Metadata.ResourceVersion = ResourceVersions.Of(write.Revision);
        return (new Deletion(value, ObjectBytes.WithResourceVersion(bytes, write.Revision), false), null);
    }

    /// <summary>Sets finalizers, deletion time and grace; false when nothing is to be written.</summary>
    private bool Mark(KubeObject value, KindRules rules, DeleteOptions options)
    {
        var meta = value.Metadata;
        var finalizersChanged = SetFinalizers(meta, rules, options);
        var now = CreatePipeline.Seconds(parts.Time.GetUtcNow());
        if (meta.DeletionTimestamp is { } since)
        {
            // Already on its way: a shorter grace than the present one counts.
            if (meta.DeletionGracePeriodSeconds is { } left && rules.GracePeriod(value, options.GracePeriodSeconds) is { } shorter && options.GracePeriodSeconds is not null && shorter < left)
            {
                meta.DeletionTimestamp = since.AddSeconds(shorter - left);
                meta.DeletionGracePeriodSeconds = shorter;
                return true;
            }

            return finalizersChanged;
        }

        if (rules.DeletionFinalizer is { } finalizer)
        {
            if (meta.Finalizers?.Contains(finalizer) != true)
            {
                (meta.Finalizers ??= []).Add(finalizer);
            }

            meta.DeletionTimestamp = now;
            rules.BeginDelete(value);
            return true;
        }

        var grace = rules.GracePeriod(value, options.GracePeriodSeconds is < 0 ? 1 : options.GracePeriodSeconds);
        if (grace is null && meta.Finalizers is null or { Count: 0 } && !rules.Holds(value))
        {
            return finalizersChanged;
        }

        meta.DeletionTimestamp = now.AddSeconds(grace ?? 0);
        meta.DeletionGracePeriodSeconds = grace ?? 0;
        if (meta.Generation > 0)
        {
            meta.Generation++;
        }

        rules.BeginDelete(value);
        return true;
    }

    private static bool SetFinalizers(ObjectMeta meta, KindRules rules, DeleteOptions options)
    {
        var before = meta.Finalizers ?? [];
        var orphan = options.OrphanDependents ?? (options.PropagationPolicy is { } policy ? policy == "Orphan"
            : before.Contains(OrphanFinalizer) || (!before.Contains(ForegroundFinalizer) && rules.DefaultPropagation == "Orphan"));
        var foreground = options.OrphanDependents is null && (options.PropagationPolicy is { } given ? given == "Foreground" : before.Contains(ForegroundFinalizer));
        var after = before.Where(f => f is not (OrphanFinalizer or ForegroundFinalizer)).ToList();
        if (orphan)
        {
            after.Add(OrphanFinalizer);
        }

        if (foreground)
        {
            after.Add(ForegroundFinalizer);
        }

        if (after.ToHashSet().SetEquals(before))
        {
            return false;
        }

        meta.Finalizers = after;
        return true;
    }
}
