using Hardway.Api;
using Hardway.Api.Authorization.V1;
using Hardway.ApiServer.Configuration;
using Hardway.Cel;

namespace Hardway.ApiServer.Authorization.Webhook;

/// <summary>
/// Asks another server (SubjectAccessReview of authorization.k8s.io/v1), where the match conditions hold. Answers are kept for a while.
/// No answer is no opinion, or a denial where the configuration says so; a condition that cannot be evaluated counts as no answer.
/// </summary>
internal sealed class WebhookAuthorizer : IAuthorizer
{
    private const long Budget = 1_000_000;
    private readonly WebhookAuthorizerConfig _config;
    private readonly WebhookConnection _connection;
    private readonly AnswerCache<AuthorizationResult> _answers;

    public WebhookAuthorizer(WebhookAuthorizerConfig config, TimeProvider time)
    {
        _config = config;
        _connection = WebhookConnection.Read(config.KubeConfigFile);
        _answers = new AnswerCache<AuthorizationResult>(time);
    }

    public async ValueTask<AuthorizationResult> AuthorizeAsync(AuthorizationAttributes attributes, CancellationToken cancellationToken)
    {
        var review = new SubjectAccessReview { Kind = "SubjectAccessReview", ApiVersion = "authorization.k8s.io/v1", Spec = SpecOf(attributes) };
        try
        {
            if (!Matches(review))
            {
                return AuthorizationResult.NoOpinion;
            }
        }
        catch (CelException e)
        {
            return Failed("a match condition of the webhook: " + e.Message);
        }

        var body = ApiJson.Serialize(review);
        var key = AnswerCache<AuthorizationResult>.KeyOf(body);
        if (_answers.TryGet(key, out var known))
        {
            return known;
        }

        try
        {
            var status = ApiJson.Deserialize<SubjectAccessReview>(await _connection.PostAsync(body, _config.Timeout, cancellationToken).ConfigureAwait(false)).Status;
            var result = status.Allowed && !status.Denied ? AuthorizationResult.Allow(status.Reason) : status.Denied ? AuthorizationResult.Deny(status.Reason) : AuthorizationResult.NoOpinion with { Reason = status.Reason };
            _answers.Put(key, result, result.Allowed ? _config.AuthorizedTtl : _config.UnauthorizedTtl);
            return result;
        }
        catch (Exception e) when (e is HttpRequestException or ApiDecodeException)
        {
            return Failed("the authorization webhook: " + e.Message);
        }
    }

    private AuthorizationResult Failed(string why) => _config.FailureDenies ? AuthorizationResult.Deny(why) : AuthorizationResult.NoOpinion with { Reason = why };

    private bool Matches(SubjectAccessReview review)
    {
        if (_config.MatchConditions.Count == 0)
        {
            return true;
        }

        var budget = new CelBudget(Budget);
        var variables = new Dictionary<string, object?>(StringComparer.Ordinal) { ["request"] = ApiJson.ToTree(review)["spec"] };
        CelException? error = null;
        foreach (var condition in _config.MatchConditions)
        {
            try
            {
                if (condition.Evaluate(variables, budget) is not true)
                {
                    return false;
                }
            }
            catch (CelException e)
            {
                // One that does not hold decides whatever errors the others have.
                error ??= e;
            }
        }

        return error is null ? true : throw new CelException(error.Message, error);
    }

    private static SubjectAccessReviewSpec SpecOf(AuthorizationAttributes a)
    {
        var spec = new SubjectAccessReviewSpec
        {
            User = a.User.Name,
            Uid = a.User.Uid,
            Groups = a.User.Groups.Count > 0 ? [.. a.User.Groups] : null,
            Extra = a.User.Extra.Count > 0 ? a.User.Extra.ToDictionary(e => e.Key, e => e.Value.ToList(), StringComparer.Ordinal) : null,
        };
        if (!a.IsResource)
        {
            spec.NonResourceAttributes = new NonResourceAttributes { Path = a.Path, Verb = a.Verb };
            return spec;
        }

        spec.ResourceAttributes = new ResourceAttributes
        {
            Namespace = a.Namespace,
            Verb = a.Verb,
            Group = a.Group,
            Version = a.Version,
            Resource = a.Resource,
            Subresource = a.Subresource,
            Name = a.Name,
            FieldSelector = a.FieldSelector.Length > 0 ? new FieldSelectorAttributes { RawSelector = a.FieldSelector } : null,
            LabelSelector = a.LabelSelector.Length > 0 ? new LabelSelectorAttributes { RawSelector = a.LabelSelector } : null,
        };
        return spec;
    }
}
