using Hardway.Api.Core.V1;
using Hardway.Api;
using Hardway.Api.Admission.V1;
using Hardway.Api.AdmissionRegistration.V1;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Authorization;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using Hardway.Cel;

namespace Hardway.ApiServer.Admission.Dynamic;

/// <summary>What both sorts of webhooks have in common. Immutable.</summary>
internal sealed record WebhookModel(string Configuration, string Name, WebhookClientConfig Client, string? FailurePolicy, string? SideEffects, int? TimeoutSeconds, List<MatchCondition>? Conditions, List<string>? ReviewVersions)
{
    public bool Ignores => FailurePolicy == "Ignore";

    /// <summary>The first that both know: v1, or v1beta1, which has the same fields.</summary>
    public string ReviewVersion => "admission.k8s.io/" + (ReviewVersions?.Find(v => v is "v1" or "v1beta1") ?? "v1");

    public TimeSpan Timeout => TimeSpan.FromSeconds(Math.Clamp(TimeoutSeconds ?? 10, 1, 30));
}

/// <summary>
/// One call of one webhook about one write: 1 its conditions, 2 dry runs only where it has no side effects, 3 the AdmissionReview there and back,
/// 4 warnings and audit annotations. What goes wrong is decided by its failure policy.
/// </summary>
internal sealed class WebhookCaller(IResourceReader reader, ResourceScheme scheme, IAuthorizer authorizer, WebhookClient client)
{
    private const string Beta = "admission.k8s.io/v1beta1";
    private readonly CompiledExpressions _expressions = new();

    public MatchRules Match { get; } = new(reader, scheme);

    /// <summary>The answer that allows; null when the webhook has no say or its failure is ignored. Throws where it refuses.</summary>
    public async Task<AdmissionResponse?> CallAsync(WebhookModel webhook, AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        try
        {
            if (webhook.Conditions is { Count: > 0 } && !_expressions.AllHold(webhook.Conditions, AdmissionVariables.Of(attributes, authorizer, Match.NamespaceOf(attributes)), new CelBudget(AdmissionVariables.Budget)))
            {
                return null;
            }
        }
        catch (CelException e)
        {
            return webhook.Ignores ? null : throw Statuses.Forbidden(attributes.Group, attributes.Resource, attributes.Name, e.Message);
        }

        if (attributes.DryRun && webhook.SideEffects is not ("None" or "NoneOnDryRun"))
        {
            throw Statuses.BadRequest($"admission webhook \"{webhook.Name}\" does not support dry run");
        }

        AdmissionResponse response;
        try
        {
            response = Parse(await client.CallAsync(webhook.Client, Review(attributes, webhook.ReviewVersion, out var uid), webhook.Timeout, cancellationToken).ConfigureAwait(false), webhook.ReviewVersion, uid);
        }
        catch (WebhookException e)
        {
            attributes.Annotate(webhook.Ignores ? "failed-open.admission.k8s.io/" + webhook.Name : "failed-closed.admission.k8s.io/" + webhook.Name, webhook.Name);
            return webhook.Ignores ? null : throw Statuses.Internal($"failed calling webhook \"{webhook.Name}\": failed to call webhook: {e.Message}", e);
        }

        foreach (var warning in response.Warnings ?? [])
        {
            attributes.Warn(warning);
        }

        foreach (var (key, value) in response.AuditAnnotations ?? [])
        {
            attributes.Annotate(webhook.Name + "/" + key, value);
        }

        return response.Allowed ? response : throw Denied(webhook, response.Status);
    }

    private static byte[] Review(AdmissionAttributes a, string version, out string uid)
    {
        uid = Guid.NewGuid().ToString();
        var request = AdmissionVariables.Request(a);
        request["uid"] = uid;
        request["object"] = AdmissionVariables.Tree(a.Object, a);
        request["oldObject"] = AdmissionVariables.Tree(a.OldObject, a);
        return ApiJson.SerializeTree(new Dictionary<string, object?>(StringComparer.Ordinal) { ["kind"] = "AdmissionReview", ["apiVersion"] = version, ["request"] = request });
    }

    private static AdmissionResponse Parse(byte[] body, string version, string uid)
    {
        try
        {
            var review = ApiJson.Deserialize<AdmissionReview>(body);
            var response = review.Response ?? throw new WebhookException("webhook response was absent");
            if (version == Beta)
            {
                // That version's servers need not say what their answer is, nor to what.
                response.PatchType = response.Patch is { Length: > 0 } ? response.PatchType ?? "JSONPatch" : response.PatchType;
                return response;
            }

            return review.Kind != "AdmissionReview" || review.ApiVersion != version ? throw new WebhookException($"expected webhook response of {version}, Kind=AdmissionReview, got {review.ApiVersion}, Kind={review.Kind}")
                : response.Uid != uid ? throw new WebhookException($"expected response.uid=\"{uid}\", got \"{response.Uid}\"")
                : response;
        }
        catch (ApiDecodeException e)
        {
            throw new WebhookException("the answer is no AdmissionReview: " + e.Message, e);
        }
    }

    private static ApiException Denied(WebhookModel webhook, Status? status)
    {
        var why = status is null || (status.Message.Length == 0 && status.Reason.Length == 0) ? "without explanation" : "denied the request: " + (status.Message.Length > 0 ? status.Message : status.Reason);
        var code = status is { Code: >= 400 and < 600 } ? status.Code : status?.Code is null or 0 ? 403 : 400;
        var text = $"admission webhook \"{webhook.Name}\" {(why == "without explanation" ? "denied the request without explanation" : why)}";
        return Statuses.Make(code, status?.Reason is { Length: > 0 } reason ? reason : code == 403 ? StatusReason.Forbidden : "", text, status?.Details);
    }
}
