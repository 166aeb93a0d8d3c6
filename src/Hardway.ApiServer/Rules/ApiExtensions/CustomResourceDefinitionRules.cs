using Hardway.Api;
using Hardway.Api.ApiExtensions.V1;
using Hardway.ApiServer.Custom;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.ApiExtensions;

/// <summary>
/// Definitions of custom resources. What is the same in all versions (schema, columns, subresources) upstream reports once, under spec; what
/// differs under spec.versions[i]. So do we.
/// </summary>
internal sealed class CustomResourceDefinitionRules : KindRules<CustomResourceDefinition>
{
    public override bool HasStatus => true;

    public override bool HasGeneration => true;

    public override bool AllowUnconditionalUpdate => false;

    public override string? DeletionFinalizer => CustomResourceController.Finalizer;

    protected override void Default(CustomResourceDefinition value)
    {
        var names = value.Spec.Names;
        names.Singular = names.Singular.Length == 0 ? names.Kind.ToLowerInvariant() : names.Singular;
        names.ListKind = names.ListKind.Length == 0 && names.Kind.Length > 0 ? names.Kind + "List" : names.ListKind;
        value.Spec.Conversion ??= new CustomResourceConversion();
        value.Spec.Conversion.Strategy = value.Spec.Conversion.Strategy.Length == 0 ? "None" : value.Spec.Conversion.Strategy;
        if (value.Spec.Conversion.Webhook?.ClientConfig?.Service is { } service)
        {
            service.Port ??= 443;
        }
    }

    protected override void PrepareForCreate(RuleContext context, CustomResourceDefinition value)
    {
        value.Status = new CustomResourceDefinitionStatus();
        KeepStored(value);
    }

    protected override void PrepareForUpdate(RuleContext context, CustomResourceDefinition value, CustomResourceDefinition old)
    {
        if (context.Subresource.Length == 0)
        {
            KeepStored(value);
            return;
        }

        // Through status only the status is written.
        var (owners, version) = (value.Metadata.ManagedFields, value.Metadata.ResourceVersion);
        value.Metadata = old.Metadata.Clone();
        (value.Metadata.ManagedFields, value.Metadata.ResourceVersion) = (owners, version);
    }

    protected override void BeginDelete(CustomResourceDefinition value) =>
        DefinitionConditions.Set(value.Status, "Terminating", true, "InstanceDeletionPending", "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon", value.Metadata.DeletionTimestamp ?? default);

    protected override void Validate(RuleContext context, CustomResourceDefinition value, ErrorList errors) => Validate(value, null, errors);

    protected override void ValidateUpdate(RuleContext context, CustomResourceDefinition value, CustomResourceDefinition old, ErrorList errors)
    {
        Validate(value, old, errors);
        var path = FieldPath.Spec;
        Immutable(path.Child("group"), value.Spec.Group, old.Spec.Group, errors);
        Immutable(path.Child("names", "plural"), value.Spec.Names.Plural, old.Spec.Names.Plural, errors);
        if (old.Status.Conditions?.Exists(c => c is { Type: "Established", Status: "True" }) == true)
        {
            Immutable(path.Child("scope"), value.Spec.Scope, old.Spec.Scope, errors);
            Immutable(path.Child("names", "kind"), value.Spec.Names.Kind, old.Spec.Names.Kind, errors);
        }
    }

    protected override void Warn(RuleContext context, CustomResourceDefinition value, CustomResourceDefinition? old)
    {
        foreach (var version in value.Spec.Versions ?? [])
        {
            foreach (var format in version.Schema?.OpenAPIV3Schema is { } schema ? SchemaDefinitionRules.UnknownFormats(ApiJson.ToTree(schema)) : [])
            {
                context.Warn($"unrecognized format \"{format}\"");
            }
        }
    }

    private static void KeepStored(CustomResourceDefinition value)
    {
        if (value.Spec.Versions?.Find(v => v.Storage) is { } storage && value.Status.StoredVersions?.Contains(storage.Name) != true)
        {
            (value.Status.StoredVersions ??= []).Add(storage.Name);
        }
    }

    private static void Immutable(FieldPath path, string value, string old, ErrorList errors)
    {
        if (value != old)
        {
            errors.Invalid(path, value, "field is immutable");
        }
    }

    private static void Validate(CustomResourceDefinition value, CustomResourceDefinition? old, ErrorList errors)
    {
        var spec = value.Spec;
        var path = FieldPath.Spec;
        if (value.Metadata.Name != spec.Names.Plural + "." + spec.Group)
        {
            errors.Invalid(FieldPath.Metadata.Child("name"), value.Metadata.Name, "must be spec.names.plural+\".\"+spec.group");
        }

        Group(spec.Group, path.Child("group"), errors);
        if (spec.Scope.Length == 0)
        {
            errors.Required(path.Child("scope"));
        }
        else if (spec.Scope is not ("Cluster" or "Namespaced"))
        {
            errors.NotSupported(path.Child("scope"), spec.Scope, "Cluster", "Namespaced");
        }

        if (spec.PreserveUnknownFields && old?.Spec.PreserveUnknownFields != true)
        {
            errors.Invalid(path.Child("preserveUnknownFields"), true, "cannot be true; set x-kubernetes-preserve-unknown-fields in the schemas instead");
        }

        NamesAre(spec.Names, path.Child("names"), errors);
        Versions(spec.Versions ?? [], path, errors);
        DefinitionVersionRules.Validate(spec, old?.Spec, path, errors);
        DefinitionConversionRules.Validate(spec.Conversion!, path.Child("conversion"), errors);
        Stored(value, FieldPath.Status.Child("storedVersions"), errors);
        Approved(value, old, errors);
    }

    private static void Group(string group, FieldPath path, ErrorList errors)
    {
        if (group.Length == 0)
        {
            errors.Required(path);
        }
        else if (ObjectNames.DnsSubdomain(group) is { } wrong)
        {
            errors.Invalid(path, group, wrong);
        }
        else if (!group.Contains('.', StringComparison.Ordinal))
        {
            errors.Invalid(path, group, "should be a domain with at least one dot");
        }
    }

    private static void NamesAre(CustomResourceDefinitionNames names, FieldPath path, ErrorList errors)
    {
        void Label(FieldPath at, string text, bool anyCase)
        {
            if (ObjectNames.Dns1035(anyCase ? text.ToLowerInvariant() : text) is { } wrong)
            {
                errors.Invalid(at, text, wrong);
            }
        }

        void Needed(string name, string text, bool anyCase)
        {
            if (text.Length == 0)
            {
                errors.Required(path.Child(name));
            }
            else
            {
                Label(path.Child(name), text, anyCase);
            }
        }

        Needed("plural", names.Plural, false);
        Needed("singular", names.Singular, false);
        Needed("kind", names.Kind, true);
        Needed("listKind", names.ListKind, true);
        for (var i = 0; i < (names.ShortNames?.Count ?? 0); i++)
        {
            Label(path.Child("shortNames").Index(i), names.ShortNames![i], false);
        }

        for (var i = 0; i < (names.Categories?.Count ?? 0); i++)
        {
            Label(path.Child("categories").Index(i), names.Categories![i], false);
        }

        if (names.Kind.Length > 0 && names.Kind == names.ListKind)
        {
            errors.Invalid(path.Child("listKind"), names.ListKind, "kind and listKind may not be the same");
        }
    }

    private static void Versions(List<CustomResourceDefinitionVersion> versions, FieldPath path, ErrorList errors)
    {
        var shown = string.Join(", ", versions.Select(v => v.Name));
        if (versions.Select(v => v.Name).Distinct().Count() < versions.Count)
        {
            errors.Invalid(path.Child("versions"), shown, "must contain unique version names");
        }

        if (versions.Count(v => v.Storage) != 1)
        {
            errors.Invalid(path.Child("versions"), shown, "must have exactly one version marked as storage version");
        }

        for (var i = 0; i < versions.Count; i++)
        {
            if (ObjectNames.Dns1035(versions[i].Name) is { } wrong)
            {
                errors.Invalid(path.Child("versions").Index(i).Child("name"), versions[i].Name, wrong);
                if (i == 0)
                {
                    // The first version's name has a second place in upstream's own form.
                    errors.Invalid(path.Child("version"), versions[i].Name, wrong);
                }
            }
        }
    }

    private static void Stored(CustomResourceDefinition value, FieldPath path, ErrorList errors)
    {
        var stored = value.Status.StoredVersions ?? [];
        if (stored.Count == 0)
        {
            errors.Invalid(path, null, "must have at least one stored version");
        }

        var shown = string.Join(", ", stored);
        foreach (var version in (value.Spec.Versions ?? []).Where(v => v.Storage && !stored.Contains(v.Name) && stored.Count > 0))
        {
            errors.Invalid(path, shown, $"must have the storage version {version.Name}");
        }

        for (var i = 0; i < stored.Count; i++)
        {
            if (value.Spec.Versions?.Exists(v => v.Name == stored[i]) != true)
            {
                errors.Invalid(path.Index(i), stored[i], "must appear in spec.versions");
            }
        }
    }

    private static void Approved(CustomResourceDefinition value, CustomResourceDefinition? old, ErrorList errors)
    {
        if (!ApiApproval.IsProtected(value.Spec.Group))
        {
            return;
        }

        var (state, message) = ApiApproval.Of(value.Metadata.Annotations);
        var path = FieldPath.Metadata.Child("annotations").Key(ApiApproval.Annotation);
        if (state == ApprovalState.Missing && (old is null || ApiApproval.Of(old.Metadata.Annotations).State != ApprovalState.Missing))
        {
            errors.Required(path, message);
        }
        else if (state == ApprovalState.Invalid && (old is null || ApiApproval.Of(old.Metadata.Annotations).State != ApprovalState.Invalid))
        {
            errors.Invalid(path, value.Metadata.Annotations![ApiApproval.Annotation], message);
        }
    }
}
