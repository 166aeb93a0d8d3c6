using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.Core;

/// <summary>What must hold of requests and limits.</summary>
internal static class ResourceValidation
{
    private static readonly string[] s_standard = ["cpu", "memory", "ephemeral-storage"];

    public static void Validate(ResourceRequirements resources, PodSpec? spec, FieldPath path, ErrorList errors)
    {
        Claims(resources, spec, path.Child("claims"), errors);
        var hugePages = false;
        foreach (var (name, limit) in resources.Limits ?? [])
        {
            var at = path.Child("limits").Key(name);
            Name(errors, at, name);
            Amount(errors, at, name, limit);
            hugePages |= IsHugePages(name);
        }

        foreach (var (name, request) in resources.Requests ?? [])
        {
            var at = path.Child("requests").Key(name);
            Name(errors, at, name);
            Amount(errors, at, name, request);
            hugePages |= IsHugePages(name);
            Limit(resources, name, request, path, errors);
        }

        if (hugePages && !Has(resources, "cpu") && !Has(resources, "memory"))
        {
            errors.Forbidden(path, "HugePages require cpu or memory");
        }
    }

    public static bool IsExtended(string name) =>
        name.Contains('/') && !name.StartsWith("kubernetes.io/", StringComparison.Ordinal) && !name.Contains(".kubernetes.io/", StringComparison.Ordinal) && !name.StartsWith("requests.", StringComparison.Ordinal);

    private static void Limit(ResourceRequirements resources, string name, Quantity request, FieldPath path, ErrorList errors)
    {
        if (resources.Limits is not null && resources.Limits.TryGetValue(name, out var limit))
        {
            if (!MayOvercommit(name) && request != limit)
            {
                errors.Invalid(path.Child("requests"), request.ToString(), $"must be equal to {name} limit of {limit}");
            }
            else if (request > limit)
            {
                errors.Invalid(path.Child("requests"), request.ToString(), $"must be less than or equal to {name} limit of {limit}");
            }
        }
        else if (!MayOvercommit(name))
        {
            errors.Required(path.Child("limits"), "a limit must be set for resources that cannot be overcommitted");
        }
    }

    private static void Claims(ResourceRequirements resources, PodSpec? spec, FieldPath path, ErrorList errors)
    {
        var names = (spec?.ResourceClaims ?? []).Select(c => c.Name).ToHashSet(StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < resources.Claims?.Count; i++)
        {
            var claim = resources.Claims[i];
            if (claim.Name.Length == 0)
            {
                errors.Required(path.Index(i));
            }
            else if (!seen.Add(claim.Name + "/" + claim.Request))
            {
                errors.Duplicate(path.Index(i), claim.Name);
            }
            else if (!names.Contains(claim.Name))
            {
                errors.NotFound(path.Index(i), claim.Name);
            }
        }
    }

    private static bool Has(ResourceRequirements resources, string name) => resources.Limits?.ContainsKey(name) == true || resources.Requests?.ContainsKey(name) == true;

    private static bool IsHugePages(string name) => name.StartsWith("hugepages-", StringComparison.Ordinal);

    private static bool MayOvercommit(string name) => !IsHugePages(name) && !IsExtended(name);

    private static void Name(ErrorList errors, FieldPath path, string name)
    {
        if (!Names.IsQualifiedName(name))
        {
            Names.CheckLabelKey(errors, path, name);
        }
        else if (!name.Contains('/') && !s_standard.Contains(name) && !IsHugePages(name))
        {
            errors.Invalid(path, name, "must be a standard resource type or fully qualified");
            errors.Invalid(path, name, "must be a standard resource for containers");
        }
    }

    private static void Amount(ErrorList errors, FieldPath path, string name, Quantity value)
    {
        if (value.Sign < 0)
        {
            errors.Invalid(path, value.ToString(), "must be greater than or equal to 0");
        }
        else if ((IsExtended(name) || IsHugePages(name)) && value.MilliValue % 1000 != 0)
        {
            errors.Invalid(path, value.ToString(), "must be an integer");
        }
    }
}
