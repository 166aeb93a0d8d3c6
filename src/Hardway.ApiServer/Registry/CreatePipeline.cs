using System.Text;
using Hardway.Api;
using Hardway.ApiServer.Admission;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Registry;

/// <summary>
/// Creates an object: 1 system metadata, 2 field ownership, 3 mutating admission, 4 the kind's preparation, 5 allocations, 6 validation,
/// 7 validating admission, 8 the store. A generated name that is taken is made anew some times.
/// </summary>
internal sealed class CreatePipeline(PipelineParts parts)
{
    private const int GenerateTries = 8;

    public async Task<Written> RunAsync(CreateRequest request, CancellationToken cancellationToken)
    {
        var generated = request.Value.Metadata.Name.Length == 0 && request.Value.Metadata.GenerateName.Length > 0;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var value = generated ? (KubeObject)request.Value.DeepClone() : request.Value;
                return await OnceAsync(request, value, cancellationToken).ConfigureAwait(false);
            }
            catch (ApiException e) when (generated && e.IsAlreadyExists && attempt < GenerateTries)
            {
                // Another suffix then.
            }
        }
    }

    private async Task<Written> OnceAsync(CreateRequest request, KubeObject value, CancellationToken cancellationToken)
    {
        var resource = request.Resource;
        var registry = resource.Registry;
        var rules = registry.Rules;
        PrepareMetadata(request, value);
        // Before admission and preparation: what they add is nobody's.
        if (request.FieldManager.Length > 0)
        {
            parts.Ownership.Update(resource, null, value, request.FieldManager, request.Subresource);
        }

        var attributes = request.SkipsAdmission ? null : parts.Attributes(request, AdmissionOperation.Create, value.Metadata.Name, value, null);
        if (attributes is not null)
        {
            await parts.AdmitAsync(attributes, request, cancellationToken).ConfigureAwait(false);
            PipelineParts.Reshape(registry, value);
        }

        var context = parts.RuleContext(request);
        if (rules.HasStatus)
        {
            StatusPart.Clear(value);
        }

        if (rules.HasGeneration)
        {
            value.Metadata.Generation = 1;
        }

        rules.PrepareForCreate(context, value);
        await using var allocation = await parts.Allocators.OnCreateAsync(registry, value, context, cancellationToken).ConfigureAwait(false);
        var errors = new ErrorList();
        MetadataValidator.Validate(value.Metadata, registry, errors);
        rules.Validate(context, value, errors);
        if (errors.Any)
        {
            throw Statuses.Invalid(registry.Group, registry.Kind, value.Metadata.Name, errors);
        }

        rules.Warn(context, value, null);
        if (attributes is not null)
        {
            await parts.Admission.ValidateAsync(attributes, cancellationToken).ConfigureAwait(false);
        }

        var key = registry.Key(value.Metadata.Namespace, value.Metadata.Name);
        var bytes = StoredForm.Encode(registry, value);
        if (request.DryRun)
        {
            return await parts.Objects.FreshAsync(registry, value.Metadata.Namespace, value.Metadata.Name, cancellationToken).ConfigureAwait(false) is null
                ? new Written(value, bytes, Created: true)
                : throw Exists(registry, value);
        }

        var write = await parts.Objects.CreateAsync(registry, key, value, bytes, cancellationToken).ConfigureAwait(false);
        if (!write.Succeeded)
        {
            throw Exists(registry, value);
        }

        allocation.Keep();
        value.Metadata.ResourceVersion = ResourceVersions.Of(write.Revision);
        return new Written(value, ObjectBytes.WithResourceVersion(bytes, write.Revision), Created: true);
    }

    private void PrepareMetadata(CreateRequest request, KubeObject value)
    {
        var meta = value.Metadata;
        if (meta.ResourceVersion.Length > 0)
        {
            throw Statuses.Plain("resourceVersion should not be set on objects to be created");
        }

        Namespaces.Match(request.Resource.Registry, request.Namespace, meta);
        meta.DeletionTimestamp = null;
        meta.DeletionGracePeriodSeconds = null;
        meta.SelfLink = "";
        meta.Uid = Guid.NewGuid().ToString();
        meta.CreationTimestamp = Seconds(parts.Time.GetUtcNow());
        if (meta.Name.Length == 0 && meta.GenerateName.Length > 0)
        {
            meta.Name = ObjectNames.Generate(meta.GenerateName);
        }

        meta.OwnerReferences = Owners.Dedup(meta.OwnerReferences, request.Context);
    }

    public static DateTimeOffset Seconds(DateTimeOffset time) => new(time.Ticks - (time.Ticks % TimeSpan.TicksPerSecond), TimeSpan.Zero);

    private static ApiException Exists(ResourceRegistry registry, KubeObject value) =>
        Statuses.AlreadyExists(registry.Group, registry.Resource, value.Metadata.Name);
}
