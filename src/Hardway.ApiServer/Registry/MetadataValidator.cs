using System.Text;
using Hardway.Api;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Registry;

/// <summary>What holds for the metadata of every kind.</summary>
internal static class MetadataValidator
{
    private const int MaxAnnotations = 256 * 1024;

    public static void Validate(ObjectMeta meta, ResourceRegistry registry, ErrorList errors)
    {
        var path = FieldPath.Metadata;
        if (meta.GenerateName.Length > 0 && ObjectNames.Check(registry.Rules.NameRule, meta.GenerateName, prefix: true) is { } generated)
        {
            errors.Invalid(path.Child("generateName"), meta.GenerateName, generated);
        }

        if (meta.Name.Length == 0)
        {
            errors.Required(path.Child("name"), "name or generateName is required");
        }
        else if (ObjectNames.Check(registry.Rules.NameRule, meta.Name) is { } wrong)
        {
            errors.Invalid(path.Child("name"), meta.Name, wrong);
        }

        if (registry.Namespaced)
        {
            if (meta.Namespace.Length == 0)
            {
                errors.Required(path.Child("namespace"));
            }
            else if (ObjectNames.DnsLabel(meta.Namespace) is { } badNamespace)
            {
                errors.Invalid(path.Child("namespace"), meta.Namespace, badNamespace);
            }
        }
        else if (meta.Namespace.Length > 0)
        {
            errors.Forbidden(path.Child("namespace"), "not allowed on this type");
        }

        if (meta.Generation < 0)
        {
            errors.Invalid(path.Child("generation"), meta.Generation, "must be greater than or equal to 0");
        }

        ObjectNames.CheckLabels(meta.Labels, path.Child("labels"), errors);
        Annotations(meta.Annotations, path.Child("annotations"), errors);
        Owners(meta.OwnerReferences, path.Child("ownerReferences"), errors);
        Finalizers(meta.Finalizers, registry.Group.Length == 0, path.Child("finalizers"), errors);
    }

    public static void ValidateUpdate(ObjectMeta meta, ObjectMeta old, ErrorList errors)
    {
        var path = FieldPath.Metadata;
        Immutable(path.Child("name"), meta.Name, old.Name, errors);
        Immutable(path.Child("namespace"), meta.Namespace, old.Namespace, errors);
        Immutable(path.Child("uid"), meta.Uid, old.Uid, errors);
        Immutable(path.Child("creationTimestamp"), Seconds(meta.CreationTimestamp), Seconds(old.CreationTimestamp), errors);
        Immutable(path.Child("deletionTimestamp"), Seconds(meta.DeletionTimestamp), Seconds(old.DeletionTimestamp), errors);
        Immutable(path.Child("deletionGracePeriodSeconds"), meta.DeletionGracePeriodSeconds, old.DeletionGracePeriodSeconds, errors);
        if (meta.Generation < old.Generation)
        {
            errors.Invalid(path.Child("generation"), meta.Generation, "must not be decremented");
        }

        if (old.DeletionTimestamp is not null)
        {
            var added = (meta.Finalizers ?? []).Except(old.Finalizers ?? []).ToList();
            if (added.Count > 0)
            {
                errors.Forbidden(path.Child("finalizers"), "no new finalizers can be added if the object is being deleted, found new finalizers " + string.Join(", ", added));
            }
        }
    }

    private static long Seconds(DateTimeOffset? time) => time?.ToUnixTimeSeconds() ?? 0;

    private static void Immutable<T>(FieldPath path, T now, T old, ErrorList errors)
    {
        if (!EqualityComparer<T>.Default.Equals(now, old))
        {
            errors.Invalid(path, now, "field is immutable");
        }
    }

    private static void Annotations(Dictionary<string, string>? annotations, FieldPath path, ErrorList errors)
    {
        long size = 0;
        foreach (var (key, value) in annotations ?? [])
        {
            if (ObjectNames.QualifiedName(key.ToLowerInvariant()) is { } wrong)
            {
                errors.Invalid(path, key, wrong);
            }

            size += Encoding.UTF8.GetByteCount(key) + Encoding.UTF8.GetByteCount(value);
        }

        if (size > MaxAnnotations)
        {
            errors.TooLong(path, MaxAnnotations);
        }
    }

    private static void Owners(List<OwnerReference>? owners, FieldPath path, ErrorList errors)
    {
        var controllers = 0;
        for (var i = 0; i < (owners?.Count ?? 0); i++)
        {
            var owner = owners![i];
            var at = path.Index(i);
            if (owner.ApiVersion.Length == 0)
            {
                errors.Invalid(at.Child("apiVersion"), owner.ApiVersion, "version must not be empty");
            }

            if (owner.Kind.Length == 0)
            {
                errors.Invalid(at.Child("kind"), owner.Kind, "kind must not be empty");
            }

            if (owner.Name.Length == 0)
            {
                errors.Invalid(at.Child("name"), owner.Name, "name must not be empty");
            }

            if (owner.Uid.Length == 0)
            {
                errors.Invalid(at.Child("uid"), owner.Uid, "uid must not be empty");
            }

            if (owner is { Kind: "Event", ApiVersion: "v1" or "events.k8s.io/v1" })
            {
                errors.Invalid(at, owner.Kind, "is disallowed from being an owner");
            }

            controllers += owner.Controller == true ? 1 : 0;
        }

        if (controllers > 1)
        {
            errors.Invalid(path, "controllers", "only one reference can have controller set to true");
        }
    }

    /// <summary>The core group's kinds take only standard finalizers and qualified ones.</summary>
    private static void Finalizers(List<string>? finalizers, bool isCore, FieldPath path, ErrorList errors)
    {
        foreach (var finalizer in finalizers ?? [])
        {
            if (ObjectNames.QualifiedName(finalizer) is { } wrong)
            {
                errors.Invalid(path, finalizer, wrong);
            }
            else if (isCore && !finalizer.Contains('/') && finalizer is not ("orphan" or "foregroundDeletion" or "kubernetes"))
            {
                errors.Invalid(path, finalizer, "name is neither a standard finalizer name nor is it fully qualified");
            }
        }

        if (finalizers is not null && finalizers.Contains("orphan") && finalizers.Contains("foregroundDeletion"))
        {
            errors.Invalid(path, "orphan", "finalizer orphan and foregroundDeletion cannot be both set");
        }
    }
}
