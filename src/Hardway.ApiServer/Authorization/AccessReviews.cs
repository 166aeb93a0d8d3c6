using Hardway.Api;
using Hardway.Api.Authorization.V1;
using Hardway.ApiServer.Authorization.Rbac;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Authorization;

/// <summary>The reviews that ask whether somebody may do something. The answer is the authorizers' own.</summary>
internal abstract class AccessReviewResource(string resource, IAuthorizer authorizer) : IVirtualResource
{
    public const string ReviewGroup = "authorization.k8s.io";

    public string Group => ReviewGroup;

    public string Resource => resource;

    public string Subresource => "";

    public abstract ValueTask<ApiStruct> CreateAsync(RequestContext context, ApiStruct body, bool dryRun, CancellationToken cancellationToken);

    protected async ValueTask<SubjectAccessReviewStatus> ReviewAsync(
        UserInfo user, ResourceAttributes? resourceAttributes, NonResourceAttributes? path, CancellationToken cancellationToken)
    {
        var result = await authorizer.AuthorizeAsync(AccessReviewSpec.Attributes(user, resourceAttributes, path), cancellationToken).ConfigureAwait(false);
        return new SubjectAccessReviewStatus { Allowed = result.Allowed, Denied = result.Decision == Decision.Deny, Reason = result.Reason };
    }

    protected static UserInfo UserOf(SubjectAccessReviewSpec spec) => new(spec.User)
    {
        Uid = spec.Uid,
        Groups = spec.Groups ?? [],
        Extra = spec.Extra?.ToDictionary(e => e.Key, e => (IReadOnlyList<string>)e.Value, StringComparer.Ordinal) ?? [],
    };
}

internal sealed class SubjectAccessReviewResource(IAuthorizer authorizer) : AccessReviewResource("subjectaccessreviews", authorizer)
{
    public override async ValueTask<ApiStruct> CreateAsync(RequestContext context, ApiStruct body, bool dryRun, CancellationToken cancellationToken)
    {
        var review = (SubjectAccessReview)body;
        var errors = new ErrorList();
        AccessReviewSpec.Check(errors, review.Spec.ResourceAttributes, review.Spec.NonResourceAttributes);
        AccessReviewSpec.CheckSubject(errors, review.Spec);
        AccessReviewSpec.ThrowIfAny(errors);
        review.Status = await ReviewAsync(UserOf(review.Spec), review.Spec.ResourceAttributes, review.Spec.NonResourceAttributes, cancellationToken).ConfigureAwait(false);
        return review;
    }
}

/// <summary>The same for one namespace, so that it can be granted there.</summary>
internal sealed class LocalSubjectAccessReviewResource(IAuthorizer authorizer) : AccessReviewResource("localsubjectaccessreviews", authorizer)
{
    public override async ValueTask<ApiStruct> CreateAsync(RequestContext context, ApiStruct body, bool dryRun, CancellationToken cancellationToken)
    {
        var review = (LocalSubjectAccessReview)body;
        var ns = context.Info.Namespace;
        var errors = new ErrorList();
        if (review.Spec.NonResourceAttributes is { } path)
        {
            errors.Invalid(FieldPath.Spec.Child("nonResourceAttributes"), path.Path, "disallowed on this kind of request");
        }
        else
        {
            AccessReviewSpec.Check(errors, review.Spec.ResourceAttributes, null);
        }

        if (review.Spec.ResourceAttributes is { } resource && resource.Namespace != ns)
        {
            errors.Invalid(FieldPath.Spec.Child("resourceAttributes", "namespace"), resource.Namespace, "must be the namespace of the request");
        }

        AccessReviewSpec.CheckSubject(errors, review.Spec);
        AccessReviewSpec.ThrowIfAny(errors);
        review.Metadata.Namespace = ns;
        review.Status = await ReviewAsync(UserOf(review.Spec), review.Spec.ResourceAttributes, null, cancellationToken).ConfigureAwait(false);
        return review;
    }
}

/// <summary>kubectl auth can-i.</summary>
internal sealed class SelfSubjectAccessReviewResource(IAuthorizer authorizer) : AccessReviewResource("selfsubjectaccessreviews", authorizer)
{
    public override async ValueTask<ApiStruct> CreateAsync(RequestContext context, ApiStruct body, bool dryRun, CancellationToken cancellationToken)
    {
        var review = (SelfSubjectAccessReview)body;
        var errors = new ErrorList();
        AccessReviewSpec.Check(errors, review.Spec.ResourceAttributes, review.Spec.NonResourceAttributes);
        AccessReviewSpec.ThrowIfAny(errors);
        review.Status = await ReviewAsync(context.User, review.Spec.ResourceAttributes, review.Spec.NonResourceAttributes, cancellationToken).ConfigureAwait(false);
        return review;
    }
}

/// <summary>kubectl auth can-i --list: the rules themselves, as RBAC has them.</summary>
internal sealed class SelfSubjectRulesReviewResource(AuthorizationStack authorization) : IVirtualResource
{
    public string Group => AccessReviewResource.ReviewGroup;

    public string Resource => "selfsubjectrulesreviews";

    public string Subresource => "";

    public ValueTask<ApiStruct> CreateAsync(RequestContext context, ApiStruct body, bool dryRun, CancellationToken cancellationToken)
    {
        var review = (SelfSubjectRulesReview)body;
        if (review.Spec.Namespace.Length == 0)
        {
            throw Statuses.BadRequest("no namespace on request");
        }

        var status = new SubjectRulesReviewStatus { ResourceRules = [], NonResourceRules = [] };
        if (context.User.InGroup(UserInfo.MastersGroup) || !authorization.UsesRbac)
        {
            status.ResourceRules.Add(new ResourceRule { Verbs = ["*"], ApiGroups = ["*"], Resources = ["*"] });
            status.NonResourceRules.Add(new NonResourceRule { Verbs = ["*"], NonResourceURLs = ["*"] });
        }

        foreach (var rule in authorization.UsesRbac ? authorization.Rbac.RulesFor(context.User, review.Spec.Namespace) : [])
        {
            Add(status, rule);
        }

        status.Incomplete = context.User.InGroup(UserInfo.NodesGroup);
        status.EvaluationError = status.Incomplete ? "the node authorizer's rules depend on objects and are not listed" : "";
        return ValueTask.FromResult<ApiStruct>(new SelfSubjectRulesReview { Kind = review.Kind, ApiVersion = review.ApiVersion, Status = status });
    }

    private static void Add(SubjectRulesReviewStatus status, Api.Rbac.V1.PolicyRule rule)
    {
        if (rule.NonResourceURLs is { Count: > 0 } paths)
        {
            status.NonResourceRules!.Add(new NonResourceRule { Verbs = rule.Verbs, NonResourceURLs = paths });
        }
        else
        {
            status.ResourceRules!.Add(new ResourceRule { Verbs = rule.Verbs, ApiGroups = rule.ApiGroups, Resources = rule.Resources, ResourceNames = rule.ResourceNames });
        }
    }
}
