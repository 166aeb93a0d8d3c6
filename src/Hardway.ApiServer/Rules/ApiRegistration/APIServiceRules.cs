using Hardway.Api.ApiRegistration.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.ApiRegistration;

/// <summary>Group versions and who serves them: this server, or a Service that requests are passed on to.</summary>
internal sealed class APIServiceRules : KindRules<APIService>
{
    /// <summary>VERSION.GROUP: that of the core group ends in a dot.</summary>
    public override NameRule NameRule => NameRule.PathSegment;

    public override bool HasStatus => true;

    public override bool AllowUnconditionalUpdate => false;

    public override IReadOnlyList<TableColumn> Columns { get; } =
    [
        new("Service"),
        new("Available"),
        new("Age"),
    ];

    protected override IReadOnlyList<object?> Cells(APIService value, DateTimeOffset now)
    {
        var service = value.Spec.Service is { } reference ? $"{reference.Namespace}/{reference.Name}" : "Local";
        var condition = value.Status.Conditions?.Find(c => c.Type == "Available");
        var available = condition is null ? "Unknown" : condition.Status == "True" || condition.Reason.Length == 0 ? condition.Status : $"{condition.Status} ({condition.Reason})";
        return [value.Metadata.Name, service, available, Ages.Since(value.Metadata.CreationTimestamp, now)];
    }

    protected override void Default(APIService value)
    {
        if (value.Spec.Service is { } service)
        {
            service.Port ??= 443;
        }
    }

    /// <summary>What this server serves itself is always there.</summary>
    protected override void PrepareForCreate(RuleContext context, APIService value)
    {
        if (value.Spec.Service is null)
        {
            value.Status.Conditions = [Local(CreatePipeline.Seconds(context.Now))];
        }
    }

    protected override void PrepareForUpdate(RuleContext context, APIService value, APIService old)
    {
        if (context.Subresource != "status")
        {
            return;
        }

        var meta = old.Metadata;
        (value.Metadata.Labels, value.Metadata.Annotations, value.Metadata.Finalizers, value.Metadata.OwnerReferences) = (meta.Labels, meta.Annotations, meta.Finalizers, meta.OwnerReferences);
    }

    public static APIServiceCondition Local(DateTimeOffset now) =>
        new() { Type = "Available", Status = "True", LastTransitionTime = now, Reason = "Local", Message = "Local APIServices are always available" };

    protected override void Validate(RuleContext context, APIService value, ErrorList errors)
    {
        var (spec, path) = (value.Spec, FieldPath.Spec);
        if (value.Metadata.Name != spec.Version + "." + spec.Group)
        {
            errors.Invalid(FieldPath.Metadata.Child("name"), value.Metadata.Name, $"must be spec.version+\".\"+spec.group: \"{spec.Version}.{spec.Group}\"");
        }

        if (spec.Group.Length == 0 ? spec.Version != "v1" : ObjectNames.DnsSubdomain(spec.Group) is not null)
        {
            errors.Invalid(path.Child("group"), spec.Group, spec.Group.Length == 0 ? "only v1 may have an empty group and it better be legacy kube" : ObjectNames.DnsSubdomain(spec.Group)!);
        }

        if (ObjectNames.Dns1035(spec.Version) is { } wrong)
        {
            errors.Invalid(path.Child("version"), spec.Version, wrong);
        }

        if (spec.GroupPriorityMinimum is <= 0 or > 20000)
        {
            errors.Invalid(path.Child("groupPriorityMinimum"), spec.GroupPriorityMinimum, "must be positive and less than 20000");
        }

        if (spec.VersionPriority is <= 0 or > 1000)
        {
            errors.Invalid(path.Child("versionPriority"), spec.VersionPriority, "must be positive and less than 1000");
        }

        if (spec.Service is not { } service)
        {
            Without(spec, path, errors);
            return;
        }

        AdmissionRegistration.WebhookTargets.Service(service.Name, service.Namespace, null, service.Port ?? 443, path.Child("service"), errors);
        if (spec.InsecureSkipTLSVerify && spec.CaBundle is { Length: > 0 })
        {
            errors.Invalid(path.Child("insecureSkipTLSVerify"), true, "may not be true if caBundle is present");
        }
    }

    private static void Without(APIServiceSpec spec, FieldPath path, ErrorList errors)
    {
        if (spec.CaBundle is { Length: > 0 } bundle)
        {
            errors.Invalid(path.Child("caBundle"), $"{bundle.Length} bytes", "local APIServices may not have a caBundle");
        }

        if (spec.InsecureSkipTLSVerify)
        {
            errors.Invalid(path.Child("insecureSkipTLSVerify"), true, "local APIServices may not have insecureSkipTLSVerify");
        }
    }
}
