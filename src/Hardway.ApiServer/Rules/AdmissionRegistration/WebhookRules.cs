using Hardway.Api.AdmissionRegistration.V1;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.AdmissionRegistration;

/// <summary>Configurations of validating webhooks.</summary>
internal sealed class ValidatingWebhookConfigurationRules : KindRules<ValidatingWebhookConfiguration>
{
    public override bool HasGeneration => true;

    public override IReadOnlyList<string> GenerationFields => WebhookRules.GenerationFields;

    public override bool AllowUnconditionalUpdate => false;

    public override IReadOnlyList<TableColumn> Columns => WebhookRules.Columns;

    protected override IReadOnlyList<object?> Cells(ValidatingWebhookConfiguration value, DateTimeOffset now) => [value.Metadata.Name, value.Webhooks?.Count ?? 0, Ages.Since(value.Metadata.CreationTimestamp, now)];

    protected override void Default(ValidatingWebhookConfiguration value) => value.Webhooks?.ForEach(WebhookRules.Default);

    protected override void Validate(RuleContext context, ValidatingWebhookConfiguration value, ErrorList errors) => WebhookRules.Validate(value.Webhooks, errors);
}

/// <summary>Configurations of mutating webhooks: as validating ones, and they may ask to be called again.</summary>
internal sealed class MutatingWebhookConfigurationRules : KindRules<MutatingWebhookConfiguration>
{
    public override bool HasGeneration => true;

    public override IReadOnlyList<string> GenerationFields => WebhookRules.GenerationFields;

    public override bool AllowUnconditionalUpdate => false;

    public override IReadOnlyList<TableColumn> Columns => WebhookRules.Columns;

    protected override IReadOnlyList<object?> Cells(MutatingWebhookConfiguration value, DateTimeOffset now) => [value.Metadata.Name, value.Webhooks?.Count ?? 0, Ages.Since(value.Metadata.CreationTimestamp, now)];

    protected override void Default(MutatingWebhookConfiguration value)
    {
        foreach (var webhook in value.Webhooks ?? [])
        {
            var common = Common(webhook);
            WebhookRules.Default(common);
            (webhook.FailurePolicy, webhook.MatchPolicy, webhook.NamespaceSelector, webhook.ObjectSelector, webhook.TimeoutSeconds) = (common.FailurePolicy, common.MatchPolicy, common.NamespaceSelector, common.ObjectSelector, common.TimeoutSeconds);
            webhook.ReinvocationPolicy ??= "Never";
        }
    }

    protected override void Validate(RuleContext context, MutatingWebhookConfiguration value, ErrorList errors)
    {
        WebhookRules.Validate(value.Webhooks?.ConvertAll(Common), errors);
        for (var i = 0; i < (value.Webhooks?.Count ?? 0); i++)
        {
            if (value.Webhooks![i].ReinvocationPolicy is { } policy && policy is not ("Never" or "IfNeeded"))
            {
                errors.NotSupported(FieldPath.Of("webhooks").Index(i).Child("reinvocationPolicy"), policy, "IfNeeded", "Never");
            }
        }
    }

    /// <summary>What it shares with a validating webhook; the parts are the same objects.</summary>
    private static ValidatingWebhook Common(MutatingWebhook webhook) => new()
    {
        Name = webhook.Name,
        ClientConfig = webhook.ClientConfig,
        Rules = webhook.Rules,
        FailurePolicy = webhook.FailurePolicy,
        MatchPolicy = webhook.MatchPolicy,
        NamespaceSelector = webhook.NamespaceSelector,
        ObjectSelector = webhook.ObjectSelector,
        SideEffects = webhook.SideEffects,
        TimeoutSeconds = webhook.TimeoutSeconds,
        AdmissionReviewVersions = webhook.AdmissionReviewVersions,
        MatchConditions = webhook.MatchConditions,
    };
}

/// <summary>What both sorts of webhooks have in common.</summary>
internal static class WebhookRules
{
    public static readonly string[] GenerationFields = ["webhooks"];

    public static readonly TableColumn[] Columns =
    [
        new("Webhooks", "integer"),
        new("Age"),
    ];

    public static void Default(ValidatingWebhook webhook)
    {
        webhook.FailurePolicy ??= "Fail";
        webhook.MatchPolicy ??= "Equivalent";
        webhook.NamespaceSelector ??= new LabelSelector();
        webhook.ObjectSelector ??= new LabelSelector();
        webhook.TimeoutSeconds ??= 10;
        foreach (var rule in webhook.Rules ?? [])
        {
            rule.Scope ??= "*";
        }

        if (webhook.ClientConfig.Service is { } service)
        {
            service.Port ??= 443;
        }
    }

    public static void Validate(List<ValidatingWebhook>? webhooks, ErrorList errors)
    {
        for (var i = 0; i < (webhooks?.Count ?? 0); i++)
        {
            var path = FieldPath.Of("webhooks").Index(i);
            Validate(webhooks![i], path, errors);
            if (webhooks.FindIndex(w => w.Name == webhooks[i].Name) < i)
            {
                errors.Duplicate(path.Child("name"), webhooks[i].Name);
            }
        }
    }

    private static void Validate(ValidatingWebhook webhook, FieldPath path, ErrorList errors)
    {
        Name(webhook.Name, path.Child("name"), errors);
        for (var i = 0; i < (webhook.Rules?.Count ?? 0); i++)
        {
            var rule = webhook.Rules![i];
            MatchingRules.Rule(rule.Operations, rule.ApiGroups, rule.ApiVersions, rule.Resources, rule.Scope, path.Child("rules").Index(i), errors);
        }

        if (webhook.FailurePolicy is not (null or "Fail" or "Ignore"))
        {
            errors.NotSupported(path.Child("failurePolicy"), webhook.FailurePolicy, "Fail", "Ignore");
        }

        if (webhook.MatchPolicy is not (null or "Exact" or "Equivalent"))
        {
            errors.NotSupported(path.Child("matchPolicy"), webhook.MatchPolicy, "Equivalent", "Exact");
        }

        if (webhook.SideEffects is not { Length: > 0 } effects)
        {
            errors.Required(path.Child("sideEffects"), "must specify one of None, NoneOnDryRun");
        }
        else if (effects is not ("None" or "NoneOnDryRun"))
        {
            errors.NotSupported(path.Child("sideEffects"), effects, "None", "NoneOnDryRun");
        }

        if (webhook.TimeoutSeconds is < 1 or > 30)
        {
            errors.Invalid(path.Child("timeoutSeconds"), webhook.TimeoutSeconds, "the timeout value must be between 1 and 30 seconds");
        }

        WorkloadValidation.LabelSelector(errors, path.Child("namespaceSelector"), webhook.NamespaceSelector);
        WorkloadValidation.LabelSelector(errors, path.Child("objectSelector"), webhook.ObjectSelector);
        Client(webhook.ClientConfig, path.Child("clientConfig"), errors);
        ReviewVersions(webhook.AdmissionReviewVersions, path.Child("admissionReviewVersions"), errors);
        new PolicyExpressions(hasParams: false).Conditions(webhook.MatchConditions, path.Child("matchConditions"), errors);
    }

    private static void Name(string name, FieldPath path, ErrorList errors)
    {
        if (name.Length == 0)
        {
            errors.Required(path);
        }
        else if (ObjectNames.DnsSubdomain(name) is { } wrong)
        {
            errors.Invalid(path, name, wrong);
        }
        else if (name.Split('.').Length < 3)
        {
            errors.Invalid(path, name, "should be a domain with at least three segments separated by dots");
        }
    }

    private static void Client(WebhookClientConfig client, FieldPath path, ErrorList errors)
    {
        if (client.Url is null == client.Service is null)
        {
            errors.Required(path, "exactly one of url or service is required");
        }
        else if (client.Url is { } url)
        {
            WebhookTargets.Url(url, path.Child("url"), errors);
        }
        else if (client.Service is { } service)
        {
            WebhookTargets.Service(service.Name, service.Namespace, service.Path, service.Port ?? 443, path.Child("service"), errors);
        }
    }

    /// <summary>The versions of a review that a webhook understands, admission and conversion alike: the first that the server knows is sent.</summary>
    public static void ReviewVersions(List<string>? versions, FieldPath path, ErrorList errors)
    {
        if (versions is not { Count: > 0 })
        {
            errors.Required(path, "must specify one of v1, v1beta1");
            return;
        }

        for (var i = 0; i < versions.Count; i++)
        {
            if (versions.IndexOf(versions[i]) < i)
            {
                errors.Invalid(path.Index(i), versions[i], "duplicate version");
            }
            else if (ObjectNames.Dns1035(versions[i]) is { } wrong)
            {
                errors.Invalid(path.Index(i), versions[i], wrong);
            }
        }

        if (!versions.Exists(v => v is "v1" or "v1beta1"))
        {
            errors.Invalid(path, string.Join(", ", versions), "must include at least one of v1, v1beta1");
        }
    }
}
