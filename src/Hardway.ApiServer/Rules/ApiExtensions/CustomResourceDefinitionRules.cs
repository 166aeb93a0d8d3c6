using Hardway.Api;
using Hardway.Api.ApiExtensions.V1;
using Hardway.ApiServer.Custom;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.ApiExtensions;

/// <summary>Definitions of custom resources: names, scope, versions.</summary>
internal sealed class CustomResourceDefinitionRules : KindRules<CustomResourceDefinition>
{
    public override bool HasStatus => true;

    public override bool HasGeneration => true;

    public override bool AllowUnconditionalUpdate => false;

    protected override void Default(CustomResourceDefinition value)
    {
        var names = value.Spec.Names;
        names.Singular = names.Singular.Length == 0 ? names.Kind.ToLowerInvariant() : names.Singular;
        names.ListKind = names.ListKind.Length == 0 && names.Kind.Length > 0 ? names.Kind + "List" : names.ListKind;
        value.Spec.Conversion ??= new CustomResourceConversion { Strategy = "None" };
    }

    protected override void PrepareForCreate(RuleContext context, CustomResourceDefinition value)
    {
        value.Status = new CustomResourceDefinitionStatus();
        foreach (var version in (value.Spec.Versions ?? []).Where(v => v.Storage))
        {
            (value.Status.StoredVersions ??= []).Add(version.Name);
        }

        AddFinalizer(value);
    }

    protected override void PrepareForUpdate(RuleContext context, CustomResourceDefinition value, CustomResourceDefinition old)
    {
        foreach (var version in (value.Spec.Versions ?? []).Where(v => v.Storage))
        {
            if (value.Status.StoredVersions?.Contains(version.Name) != true)
            {
                (value.Status.StoredVersions ??= []).Add(version.Name);
            }
        }
    }

    protected override void Validate(RuleContext context, CustomResourceDefinition value, ErrorList errors)
    {
        var spec = value.Spec;
        var path = FieldPath.Spec;
        if (value.Metadata.Name != spec.Names.Plural + "." + spec.Group)
        {
            errors.Invalid(FieldPath.Metadata.Child("name"), value.Metadata.Name, "must be spec.names.plural+\".\"+spec.group");
        }

        if (spec.Group.Length == 0)
        {
            errors.Required(path.Child("group"));
        }
        else if (ObjectNames.DnsSubdomain(spec.Group) is { } wrong)
        {
            errors.Invalid(path.Child("group"), spec.Group, wrong);
        }
        else if (!spec.Group.Contains('.'))
        {
            errors.Invalid(path.Child("group"), spec.Group, "should be a domain with at least one dot");
        }

        if (spec.Scope is not ("Cluster" or "Namespaced"))
        {
            errors.NotSupported(path.Child("scope"), spec.Scope, "Cluster", "Namespaced");
        }

        NamesAre(spec.Names, path.Child("names"), errors);
        Versions(spec.Versions, path.Child("versions"), errors);
    }

    protected override void ValidateUpdate(RuleContext context, CustomResourceDefinition value, CustomResourceDefinition old, ErrorList errors)
    {
        Validate(context, value, errors);
        var path = FieldPath.Spec;
        if (value.Spec.Scope != old.Spec.Scope)
        {
            errors.Invalid(path.Child("scope"), value.Spec.Scope, "field is immutable");
        }

        if (value.Spec.Group != old.Spec.Group)
        {
            errors.Invalid(path.Child("group"), value.Spec.Group, "field is immutable");
        }

        if (value.Spec.Names.Plural != old.Spec.Names.Plural)
        {
            errors.Invalid(path.Child("names", "plural"), value.Spec.Names.Plural, "field is immutable");
        }
    }

    private static void AddFinalizer(CustomResourceDefinition value)
    {
        var finalizers = value.Metadata.Finalizers ??= [];
        if (!finalizers.Contains(CustomResourceController.Finalizer))
        {
            finalizers.Add(CustomResourceController.Finalizer);
        }
    }

    private static void NamesAre(CustomResourceDefinitionNames names, FieldPath path, ErrorList errors)
    {
        void Label(string name, string text)
        {
            if (text.Length == 0)
            {
                errors.Required(path.Child(name));
            }
            else if (ObjectNames.Dns1035(text.ToLowerInvariant()) is { } wrong || (name is "plural" or "singular" && text.Any(char.IsAsciiLetterUpper)))
            {
                errors.Invalid(path.Child(name), text, "must be a DNS-1035 label");
            }
        }

        Label("plural", names.Plural);
        Label("singular", names.Singular);
        Label("kind", names.Kind);
        Label("listKind", names.ListKind);
    }

    private static void Versions(List<CustomResourceDefinitionVersion>? versions, FieldPath path, ErrorList errors)
    {
        if (versions is not { Count: > 0 })
        {
            errors.Invalid(path, "", "must have exactly one version marked as storage version");
            return;
        }

        if (versions.Count(v => v.Storage) != 1)
        {
            errors.Invalid(path, versions.Count(v => v.Storage), "must have exactly one version marked as storage version");
        }

        for (var i = 0; i < versions.Count; i++)
        {
            if (ObjectNames.Dns1035(versions[i].Name) is { } wrong)
            {
                errors.Invalid(path.Index(i).Child("name"), versions[i].Name, wrong);
            }

            if (versions.FindIndex(v => v.Name == versions[i].Name) < i)
            {
                errors.Duplicate(path.Index(i).Child("name"), versions[i].Name);
            }

            if (versions[i].Schema?.OpenAPIV3Schema is null)
            {
                errors.Required(path.Index(i).Child("schema", "openAPIV3Schema"), "schemas are required");
            }
        }
    }
}
