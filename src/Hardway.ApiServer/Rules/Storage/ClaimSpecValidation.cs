using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.Storage;

/// <summary>What must hold of a claim's spec: in a PersistentVolumeClaim, a StatefulSet's template and an ephemeral volume.</summary>
internal static class ClaimSpecValidation
{
    private static readonly string[] s_modes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

    public static void Validate(PersistentVolumeClaimSpec spec, FieldPath path, ErrorList errors)
    {
        if (spec.AccessModes is not { Count: > 0 })
        {
            errors.Required(path.Child("accessModes"), "at least 1 access mode is required");
        }

        AccessModes(spec.AccessModes, path.Child("accessModes"), errors);
        SchemaValidation.Enums(spec, path, errors, "operator", "accessModes");
        WorkloadValidation.LabelSelector(errors, path.Child("selector"), spec.Selector);
        if (spec.Resources.Requests?.TryGetValue("storage", out var size) != true)
        {
            errors.Required(path.Child("resources").Key("storage"));
        }
        else if (size.Sign <= 0)
        {
            errors.Invalid(path.Child("resources").Key("storage"), size.ToString(), "must be greater than zero");
        }

        if (spec.StorageClassName is { Length: > 0 } name)
        {
            Names.CheckDnsSubdomain(errors, path.Child("storageClassName"), name);
        }

        if (spec.VolumeAttributesClassName is { Length: > 0 } attributes)
        {
            Names.CheckDnsSubdomain(errors, path.Child("volumeAttributesClassName"), attributes);
        }

        Source(spec.DataSource?.Kind, spec.DataSource?.Name, spec.DataSource?.ApiGroup, spec.DataSource is not null, path.Child("dataSource"), errors);
        Source(spec.DataSourceRef?.Kind, spec.DataSourceRef?.Name, spec.DataSourceRef?.ApiGroup, spec.DataSourceRef is not null, path.Child("dataSourceRef"), errors);
        if (spec is { DataSource: { } source, DataSourceRef: { Namespace: null } reference } && (source.Kind != reference.Kind || source.Name != reference.Name || source.ApiGroup != reference.ApiGroup))
        {
            errors.Invalid(path, "", "must match dataSourceRef");
        }
    }

    public static void AccessModes(List<string>? modes, FieldPath path, ErrorList errors)
    {
        foreach (var mode in modes ?? [])
        {
            if (!s_modes.Contains(mode))
            {
                errors.NotSupported(path, mode, s_modes);
            }
        }

        if (modes is { Count: > 1 } && modes.Contains("ReadWriteOncePod") && modes.Exists(m => m != "ReadWriteOncePod"))
        {
            errors.Forbidden(path, "may not use ReadWriteOncePod with other access modes");
        }
    }

    private static void Source(string? kind, string? name, string? group, bool isSet, FieldPath path, ErrorList errors)
    {
        if (!isSet)
        {
            return;
        }

        if (string.IsNullOrEmpty(name))
        {
            errors.Required(path.Child("name"));
        }

        if (string.IsNullOrEmpty(kind))
        {
            errors.Required(path.Child("kind"));
        }

        if (string.IsNullOrEmpty(group) && kind != "PersistentVolumeClaim")
        {
            errors.Invalid(path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
        }
        else if (!string.IsNullOrEmpty(group))
        {
            Names.CheckDnsSubdomain(errors, path.Child("apiGroup"), group);
        }
    }
}
