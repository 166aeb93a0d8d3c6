using Hardway.Api.Authorization.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;

namespace Hardway.ApiServer.Authorization;

/// <summary>What access reviews ask: checks, and the question that the authorizers get.</summary>
internal static class AccessReviewSpec
{
    private static readonly FieldPath s_resource = FieldPath.Spec.Child("resourceAttributes");
    private static readonly FieldPath s_path = FieldPath.Spec.Child("nonResourceAttributes");

    public static void Check(ErrorList errors, ResourceAttributes? resource, NonResourceAttributes? path)
    {
        if (resource is not null && path is not null)
        {
            errors.Invalid(s_path, path.Path, "cannot be given together with resourceAttributes");
        }

        if (resource is null && path is null)
        {
            errors.Invalid(s_resource, null, "exactly one of nonResourceAttributes or resourceAttributes must be given");
        }

        if (resource?.FieldSelector is { } field)
        {
            CheckSelector(errors, s_resource.Child("fieldSelector"), field.RawSelector, field.Requirements?.Count ?? 0);
        }

        if (resource?.LabelSelector is { } label)
        {
            CheckSelector(errors, s_resource.Child("labelSelector"), label.RawSelector, label.Requirements?.Count ?? 0);
        }
    }

    public static void CheckSubject(ErrorList errors, SubjectAccessReviewSpec spec)
    {
        if (spec.User.Length == 0 && spec.Groups is not { Count: > 0 })
        {
            errors.Invalid(FieldPath.Spec.Child("user"), spec.User, "at least one of user or group must be given");
        }
    }

    public static void ThrowIfAny(ErrorList errors)
    {
        if (errors.Any)
        {
            throw Statuses.Invalid(AccessReviewResource.ReviewGroup, "", "", errors);
        }
    }

    public static AuthorizationAttributes Attributes(UserInfo user, ResourceAttributes? resource, NonResourceAttributes? path) => resource is null
        ? new AuthorizationAttributes { User = user, Verb = path!.Verb, Path = path.Path }
        : new AuthorizationAttributes
        {
            User = user,
            Verb = resource.Verb,
            IsResource = true,
            Namespace = resource.Namespace,
            Group = resource.Group,
            Version = resource.Version,
            Resource = resource.Resource,
            Subresource = resource.Subresource,
            Name = resource.Name,
            FieldSelector = resource.FieldSelector is { } field ? FieldText(field) : "",
            LabelSelector = resource.LabelSelector?.RawSelector ?? "",
        };

    private static string FieldText(FieldSelectorAttributes field) => field.RawSelector.Length > 0
        ? field.RawSelector
        : string.Join(",", (field.Requirements ?? []).Where(r => r.Operator == "In" && r.Values is { Count: 1 }).Select(r => $"{r.Key}={r.Values![0]}"));

    private static void CheckSelector(ErrorList errors, FieldPath at, string raw, int requirements)
    {
        if (raw.Length > 0 && requirements > 0)
        {
            errors.Invalid(at.Child("rawSelector"), raw, "may not be given together with requirements");
        }
        else if (raw.Length == 0 && requirements == 0)
        {
            errors.Required(at.Child("requirements"), "a selector needs requirements or rawSelector");
        }
    }
}
