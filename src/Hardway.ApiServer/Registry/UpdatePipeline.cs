using Hardway.Api;
using Hardway.ApiServer.Admission;
using Hardway.ApiServer.Errors;
using Hardway.Storage;
using Hardway.Storage.Cache;

namespace Hardway.ApiServer.Registry;

/// <summary>
/// Changes an object: 1 the stored state (from the cache at first), 2 the caller's change, 3 preconditions, 4 field ownership, 5 mutating admission,
/// 6 the kind's preparation and generation, 7 validation, 8 validating admission, 9 a transaction on the revision read in 1. When
/// somebody was faster it begins again with what is there now. A change that changes nothing is not written.
/// </summary>
internal sealed class UpdatePipeline(PipelineParts parts, CreatePipeline create)
{
    private const int MostTries = 20;

    public async Task<Written> RunAsync(UpdateRequest request, CancellationToken cancellationToken)
    {
        var registry = request.Resource.Registry;
        var current = ObjectStore.Good(parts.Objects.Cached(registry, request.Namespace, request.Name), registry);
        var fresh = false;
        for (var attempt = 0; attempt < MostTries; attempt++)
        {
            if (current is null && !fresh)
            {
                current = await parts.Objects.FreshAsync(registry, request.Namespace, request.Name, cancellationToken).ConfigureAwait(false);
                fresh = true;
            }

            if (current is null)
            {
                return await CreateAsync(request, cancellationToken).ConfigureAwait(false);
            }

            try
            {
                var (written, now) = await OnceAsync(request, current, fresh, cancellationToken).ConfigureAwait(false);
                if (written is not null)
                {
                    return written;
                }

                (current, fresh) = (now, true);
            }
            catch (ApiException) when (!fresh)
            {
                // Judged by a state that may be old: look again at the newest before this is the answer.
                var newest = await parts.Objects.FreshAsync(registry, request.Namespace, request.Name, cancellationToken).ConfigureAwait(false);
                fresh = true;
                if (newest?.ResourceVersion == current!.ResourceVersion)
                {
                    throw;
                }

                current = newest;
            }
        }

        throw Statuses.Conflict(registry.Group, registry.Resource, request.Name, "the object is being changed by others too often; please try again");
    }

    private async Task<Written> CreateAsync(UpdateRequest request, CancellationToken cancellationToken)
    {
        var registry = request.Resource.Registry;
        if (request.Create is null)
        {
            throw Statuses.NotFound(registry.Group, registry.Resource, request.Name);
        }

        var value = await request.Create().ConfigureAwait(false);
        value.Metadata.ResourceVersion = "";
        return await create.RunAsync(new CreateRequest(request.Resource, request.Namespace, value)
        {
            User = request.User,
            Context = request.Context,
            DryRun = request.DryRun,
            SkipsAdmission = request.SkipsAdmission,
            Subresource = request.Subresource,
            FieldManager = request.FieldManager,
            Options = request.Options,
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>One try: the outcome, or null with the state that was found instead.</summary>
    private async Task<(Written? Written, CachedObject? Now)> OnceAsync(UpdateRequest request, CachedObject current, bool isFresh, CancellationToken cancellationToken)
    {
        var resource = request.Resource;
        var registry = resource.Registry;
        var rules = registry.Rules;
        var shown = await ObjectStore.ShowAsync(registry, current, cancellationToken).ConfigureAwait(false);
        var old = ObjectStore.Decode(registry, shown);
        CheckPreconditions(request, registry, old);
        var value = await request.Transform(old).ConfigureAwait(false);
        if (ReferenceEquals(value, old))
        {
            return (new Written(old, shown.Json), null);
        }

        CheckVersion(request, registry, value, current);
        PrepareMetadata(request, value, old);
        if (request.FieldManager.Length > 0)
        {
            parts.Ownership.Update(resource, old, value, request.FieldManager, request.Subresource);
        }
        var attributes = request.SkipsAdmission
            ? null
            : parts.Attributes(request, AdmissionOperation.Update, request.Name, request.AdmissionView is null ? value : request.AdmissionView(value), request.AdmissionView is null ? old : request.AdmissionView(old));
        if (attributes is not null)
        {
            await parts.AdmitAsync(attributes, request, cancellationToken).ConfigureAwait(false);
            PipelineParts.Reshape(registry, value);
        }

        var context = parts.RuleContext(request);
        Prepare(request, context, value, old);
        await using var allocation = await parts.Allocators.OnUpdateAsync(registry, value, old, context, cancellationToken).ConfigureAwait(false);
        var errors = new ErrorList();
        MetadataValidator.ValidateUpdate(value.Metadata, old.Metadata, registry, errors);
        rules.ValidateUpdate(context, value, old, errors);
        if (errors.Any)
        {
            throw Statuses.Invalid(registry.Group, registry.Kind, request.Name, errors);
        }

        rules.Warn(context, value, old);
        if (attributes is not null)
        {
            await parts.Admission.ValidateAsync(attributes, cancellationToken).ConfigureAwait(false);
        }

        return await StoreAsync(request, current, shown, isFresh, value, old, allocation, cancellationToken).ConfigureAwait(false);
    }

    private async Task<(Written? Written, CachedObject? Now)> StoreAsync(UpdateRequest request, CachedObject current, CachedObject shown, bool isFresh, KubeObject value, KubeObject old, Allocation.Allocation allocation, CancellationToken cancellationToken)
    {
        var registry = request.Resource.Registry;
        var bytes = StoredForm.Encode(registry, value);
        var goes = IsFinished(value, old, registry.Rules);
        // What is stored in another form than it is shown in is written anew, changed or not: so a storage version is brought up to date.
        if (!goes && ReferenceEquals(shown, current) && IsSame(request, bytes, current, value, old))
        {
            if (!isFresh && !request.DryRun)
            {
                // Nothing to change, if this is still what is there.
                var newest = await parts.Objects.FreshAsync(registry, request.Namespace, request.Name, cancellationToken).ConfigureAwait(false);
                if (newest?.ResourceVersion != current.ResourceVersion)
                {
                    return (null, newest);
                }
            }

            return (new Written(old, current.Json), null);
        }

        if (request.DryRun)
        {
            value.Metadata.ResourceVersion = ResourceVersions.Of(current.ResourceVersion);
            return (new Written(value, ObjectBytes.WithResourceVersion(bytes, current.ResourceVersion)), null);
        }

        var write = goes
            ? await parts.Objects.DeleteAsync(current.Key, current.ResourceVersion, cancellationToken).ConfigureAwait(false)
            : await parts.Objects.UpdateAsync(registry, current.Key, value, bytes, current.ResourceVersion, cancellationToken).ConfigureAwait(false);
        if (!write.Succeeded)
        {
            return (null, write.Current is { } entry ? ObjectStore.FromEntry(registry, entry) : null);
        }

        allocation.Keep();
        if (goes)
        {
            await parts.Allocators.OnDeleteAsync(registry, old, cancellationToken).ConfigureAwait(false);
        }

        value.Metadata.ResourceVersion = ResourceVersions.Of(write.Revision);
        return (new Written(value, ObjectBytes.WithResourceVersion(bytes, write.Revision), Deleted: goes), null);
    }

    private static void CheckPreconditions(UpdateRequest request, ResourceRegistry registry, KubeObject old)
    {
        if (request.Preconditions is { } wanted)
        {
            DeletePipeline.CheckPreconditions(wanted, registry, request.Name, old);
        }
    }

    private static void CheckVersion(UpdateRequest request, ResourceRegistry registry, KubeObject value, CachedObject current)
    {
        var asked = value.Metadata.ResourceVersion;
        if (asked.Length == 0 || (asked == "0" && request.IsReplace))
        {
            if (request.IsReplace && asked.Length == 0 && !registry.Rules.AllowUnconditionalUpdate)
            {
                var errors = new ErrorList();
                errors.Invalid(FieldPath.Metadata.Child("resourceVersion"), 0, "must be specified for an update");
                // Upstream names the resource here, not the kind.
                throw Statuses.Invalid(registry.Group, registry.Resource, request.Name, errors);
            }

            return;
        }

        if (!ResourceVersions.TryParse(asked, out var version))
        {
            throw Statuses.Plain($"resourceVersion \"{asked}\" is not a number");
        }

        if (version != current.ResourceVersion)
        {
            throw Statuses.Conflict(registry.Group, registry.Resource, request.Name, "the object has been modified; please apply your changes to the latest version and try again");
        }
    }

    private static void PrepareMetadata(UpdateRequest request, KubeObject value, KubeObject old)
    {
        var (meta, before) = (value.Metadata, old.Metadata);
        var registry = request.Resource.Registry;
        Namespaces.Match(registry, request.Namespace, meta);
        if (meta.Uid.Length > 0 && meta.Uid != before.Uid && request.IsReplace)
        {
            throw Statuses.Conflict(registry.Group, registry.Resource, request.Name, $"Precondition failed: UID in precondition: {meta.Uid}, UID in object meta: {before.Uid}");
        }

        meta.Uid = meta.Uid.Length == 0 ? before.Uid : meta.Uid;
        // When it was made and when it goes is not an update's to say.
        meta.CreationTimestamp = before.CreationTimestamp;
        meta.DeletionTimestamp = before.DeletionTimestamp ?? meta.DeletionTimestamp;
        meta.DeletionGracePeriodSeconds ??= before.DeletionGracePeriodSeconds;
        meta.Generation = before.Generation;
        meta.SelfLink = "";
        meta.OwnerReferences = Owners.Dedup(meta.OwnerReferences, request.Context);
        if (request.FieldManager.Length > 0 && meta.ManagedFields is null)
        {
            meta.ManagedFields = before.ManagedFields;
        }
    }

    private static void Prepare(UpdateRequest request, RuleContext context, KubeObject value, KubeObject old)
    {
        var rules = request.Resource.Rules;
        if (rules.HasStatus)
        {
            if (rules.WritesStatus(request.Subresource))
            {
                StatusPart.KeepAllElse(value, old);
            }
            else if (request.Subresource != "binding")
            {
                // A binding sets the condition PodScheduled with the node.
                StatusPart.Keep(value, old);
            }
        }

        rules.PrepareForUpdate(context, value, old);
        if (rules.HasGeneration && !rules.WritesStatus(request.Subresource) && request.Subresource != "binding" && StatusPart.Differs(value, old, rules) && value.Metadata.Generation == old.Metadata.Generation)
        {
            value.Metadata.Generation++;
        }
    }

    /// <summary>A deleted object whose last finalizer has gone, and whose grace is over, goes with this update.</summary>
    private static bool IsFinished(KubeObject value, KubeObject old, KindRules rules) =>
        !rules.Holds(value)
        && old.Metadata.DeletionTimestamp is not null
        && value.Metadata.Finalizers is null or { Count: 0 }
        && value.Metadata.DeletionGracePeriodSeconds is null or 0
        && (old.Metadata.Finalizers is { Count: > 0 } || value.Metadata.DeletionGracePeriodSeconds is 0 or null);

    /// <summary>The same bytes, or bytes that differ in nothing but the times of managedFields.</summary>
    private static bool IsSame(UpdateRequest request, byte[] bytes, CachedObject current, KubeObject value, KubeObject old)
    {
        if (ObjectBytes.WithResourceVersion(bytes, current.ResourceVersion).AsSpan().SequenceEqual(current.Json.Span))
        {
            return true;
        }

        if (request.FieldManager.Length == 0 && request.IsReplace)
        {
            return false;
        }

        var (now, then) = (value.Metadata.ManagedFields, old.Metadata.ManagedFields);
        if (now?.Count != then?.Count || now is null)
        {
            return false;
        }

        for (var i = 0; i < now.Count; i++)
        {
            var copy = now[i].Clone();
            copy.Time = then![i].Time;
            if (!ApiStruct.DeepEquals(copy, then[i]))
            {
                return false;
            }
        }

        value.Metadata.ManagedFields = then;
        var same = ObjectBytes.WithResourceVersion(StoredForm.Encode(request.Resource.Registry, value), current.ResourceVersion).AsSpan().SequenceEqual(current.Json.Span);
        value.Metadata.ManagedFields = now;
        return same;
    }
}
