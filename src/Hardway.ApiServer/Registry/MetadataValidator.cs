using System.Text;
using Hardway.Api;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Rules;

namespace Hardway.ApiServer.Registry;

/// <summary>What holds for the metadata of every kind.</summary>
internal static class MetadataValidator
{
    private const int MaxAnnotations = 256 * 1024;

    public static void Validate(ObjectMeta meta, ResourceRegistry registry, ErrorList errors)
    {
        Whole(meta, registry, errors);
        StandardFinalizers(meta, registry, errors);
    }

    /// <summary>
    /// Of an update. Upstream looks at all metadata for every kind, and many kinds' own validation looks again: its clients see each fault as often.
    /// Good metadata is looked at once.
    /// </summary>
    public static void ValidateUpdate(ObjectMeta meta, ObjectMeta old, ResourceRegistry registry, ErrorList errors)
    {
        var faults = new ErrorList();
        Whole(meta, registry, faults);
        Changes(meta, old, faults);
        var common = faults.Count;
        StandardFinalizers(meta, registry, faults);
        if (!faults.Any)
        {
            return;
        }

        errors.AddRange(faults.Errors.Take(common));
        var (changes, wholes) = Again(registry);
        for (var i = 0; i < changes; i++)
        {
            Changes(meta, old, errors);
            StandardFinalizers(meta, registry, errors);
        }

        for (var i = 0; i < wholes; i++)
        {
            Whole(meta, registry, errors);
            StandardFinalizers(meta, registry, errors);
        }
    }

    /// <summary>How often a kind's own validation of an update looks at what changed, and at all.</summary>
    private static (int Changes, int Wholes) Again(ResourceRegistry registry) => registry.IsCustom ? (0, 0) : (registry.Group, registry.Kind) switch
    {
        ("", "ConfigMap" or "Secret" or "Service" or "Pod" or "ServiceAccount" or "PersistentVolumeClaim") or ("rbac.authorization.k8s.io", _) or ("apps", "ControllerRevision") => (1, 1),
        ("", "PersistentVolume") => (0, 2),
        ("", "LimitRange" or "Event") or ("discovery.k8s.io", _) => (0, 1),
        ("policy", _) => (0, 0),
        _ => (1, 0),
    };

    private static void Whole(ObjectMeta meta, ResourceRegistry registry, ErrorList errors)
    {
        var path = FieldPath.Metadata;
        if (meta.GenerateName.Length > 0)
        {
            Report(path.Child("generateName"), meta.GenerateName, ObjectNames.Faults(registry.Rules.NameRule, meta.GenerateName, prefix: true), errors);
        }

        if (meta.Name.Length == 0)
        {
            errors.Required(path.Child("name"), "name or generateName is required");
        }
        else
        {
            Report(path.Child("name"), meta.Name, ObjectNames.Faults(registry.Rules.NameRule, meta.Name), errors);
        }

        if (registry.Namespaced)
        {
            if (meta.Namespace.Length == 0)
            {
                errors.Required(path.Child("namespace"));
            }
            else
            {
                Names.CheckDnsLabel(errors, path.Child("namespace"), meta.Namespace);
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

        Names.CheckLabels(errors, path.Child("labels"), meta.Labels);
        Annotations(meta.Annotations, path.Child("annotations"), errors);
        Owners(meta.OwnerReferences, path.Child("ownerReferences"), errors);
        Finalizers(meta.Finalizers, path.Child("finalizers"), errors);
    }

    private static void Changes(ObjectMeta meta, ObjectMeta old, ErrorList errors)
    {
        var path = FieldPath.Metadata;
        Immutable(path.Child("name"), meta.Name, old.Name, errors);
        Immutable(path.Child("namespace"), meta.Namespace, old.Namespace, errors);
        Immutable(path.Child("uid"), meta.Uid, old.Uid, errors);
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
                errors.Forbidden(path.Child("finalizers"), "an object that is being deleted gets no new finalizers; new are " + string.Join(", ", added));
            }
        }

        Names.CheckLabels(errors, path.Child("labels"), meta.Labels);
        Annotations(meta.Annotations, path.Child("annotations"), errors);
        Owners(meta.OwnerReferences, path.Child("ownerReferences"), errors);
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
            // Keys are compared in lower case: upper-case prefixes are let in.
            if (!NameForms.IsQualifiedName(key))
            {
                Report(path, key, NameForms.QualifiedName(key.ToLowerInvariant()), errors);
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

    private static void Finalizers(List<string>? finalizers, FieldPath path, ErrorList errors)
    {
        for (var i = 0; i < finalizers?.Count; i++)
        {
            Names.CheckLabelKey(errors, path.Index(i), finalizers[i]);
        }

        if (finalizers is not null && finalizers.Contains("orphan") && finalizers.Contains("foregroundDeletion"))
        {
            errors.Invalid(path, string.Join(",", finalizers), "finalizer orphan and foregroundDeletion cannot be both set");
        }
    }

    /// <summary>Built-in kinds take only standard finalizers and such with a prefix.</summary>
    private static void StandardFinalizers(ObjectMeta meta, ResourceRegistry registry, ErrorList errors)
    {
        for (var i = 0; i < meta.Finalizers?.Count && !registry.IsCustom && registry.Group is not ("apiextensions.k8s.io" or "apiregistration.k8s.io"); i++)
        {
            if (!meta.Finalizers[i].Contains('/') && meta.Finalizers[i] is not ("orphan" or "foregroundDeletion" or "kubernetes"))
            {
                errors.Invalid(FieldPath.Metadata.Child("finalizers").Index(i), meta.Finalizers[i], "is no standard finalizer, nor has it a prefix as in example.com/name");
            }
        }
    }

    private static void Report(FieldPath path, string text, IEnumerable<string> faults, ErrorList errors)
    {
        foreach (var fault in faults)
        {
            errors.Invalid(path, text, fault);
        }
    }
}
