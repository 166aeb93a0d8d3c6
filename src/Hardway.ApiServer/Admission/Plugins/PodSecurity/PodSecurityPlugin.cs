using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Admission.Plugins.Pods;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Admission.Plugins.PodSecurity;

/// <summary>
/// The Pod Security Standards, by the labels of the namespace. Pods are refused, noted or warned about; what makes Pods is only noted and warned
/// about, as its Pods are judged when they come. Labels that a namespace gets are checked, and its Pods against them.
/// </summary>
internal sealed class PodSecurityPlugin(IResourceReader reader, PodSecurityConfig config) : AdmissionPlugin
{
    private const int MostPodsChecked = 3000;
    private const string AuditPrefix = "pod-security.kubernetes.io/";

    public override string Name => "PodSecurity";

    public override async ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (attributes is { Group: "", Resource: "namespaces", Subresource: "", Object: Namespace ns })
        {
            CheckNamespace(attributes, ns);
            return;
        }

        if (attributes.Namespace.Length == 0)
        {
            return;
        }

        if (attributes is { Group: "", Resource: "pods", Subresource: "" or "ephemeralcontainers" or "resize", Object: Pod pod })
        {
            if (attributes is not { Operation: AdmissionOperation.Update, OldObject: Pod old } || IsSignificant(pod, old))
            {
                await CheckAsync(attributes, pod.Metadata, pod.Spec, enforce: true, cancellationToken).ConfigureAwait(false);
            }
        }
        else if (attributes.Subresource.Length == 0 && PodSpecs.TemplateOf(attributes.Object) is { } template)
        {
            await CheckAsync(attributes, template.Meta, template.Spec, enforce: false, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask CheckAsync(AdmissionAttributes attributes, ObjectMeta meta, PodSpec spec, bool enforce, CancellationToken cancellationToken)
    {
        var ns = reader.Get<Namespace>("", attributes.Namespace) ?? await reader.GetFreshAsync<Namespace>("", attributes.Namespace, cancellationToken).ConfigureAwait(false);
        var policy = ns is null ? null : NamespacePolicy.Of(ns.Metadata, config.Defaults);
        if (policy is null || policy.IsPrivileged || IsExempt(attributes, spec))
        {
            return;
        }

        var refused = enforce ? PodSecurityStandards.Check(policy.Enforce, meta, spec) : [];
        var noted = PodSecurityStandards.Check(policy.Audit, meta, spec);
        if (noted.Count > 0)
        {
            attributes.Annotate(AuditPrefix + "audit-violations", $"would violate PodSecurity \"{policy.Audit}\": {string.Join(", ", noted)}");
        }

        if (enforce)
        {
            attributes.Annotate(AuditPrefix + "enforce-policy", policy.Enforce.ToString());
        }

        if (refused.Count > 0)
        {
            throw Statuses.Forbidden(attributes.Group, attributes.Resource, attributes.Name, $"violates PodSecurity \"{policy.Enforce}\": {string.Join(", ", refused)}");
        }

        var warned = PodSecurityStandards.Check(policy.Warn, meta, spec);
        if (warned.Count > 0)
        {
            attributes.Warn($"would violate PodSecurity \"{policy.Warn}\": {string.Join(", ", warned)}");
        }
    }

    private bool IsExempt(AdmissionAttributes attributes, PodSpec spec)
    {
        var what = config.Namespaces.Contains(attributes.Namespace) ? "namespace"
            : config.Users.Contains(attributes.User.Name) ? "user"
            : spec.RuntimeClassName is { } handler && config.RuntimeClasses.Contains(handler) ? "runtimeClass" : "";
        if (what.Length > 0)
        {
            attributes.Annotate(AuditPrefix + "exempt", what);
        }

        return what.Length > 0;
    }

    private void CheckNamespace(AdmissionAttributes attributes, Namespace ns)
    {
        var errors = new ErrorList();
        var wanted = NamespacePolicy.Of(ns.Metadata, config.Defaults, (label, value, why) => errors.Invalid(FieldPath.Metadata.Child("labels").Key(label), value, why));
        var before = attributes.OldObject is Namespace old ? NamespacePolicy.Of(old.Metadata, config.Defaults) : null;
        if (errors.Any)
        {
            throw Statuses.Invalid("", "Namespace", attributes.Name, errors);
        }

        if (before is not null && wanted.Enforce != before.Enforce && wanted.Enforce.Level > SecurityLevel.Privileged)
        {
            WarnOfPods(attributes, ns.Metadata.Name, wanted.Enforce);
        }
    }

    private void WarnOfPods(AdmissionAttributes attributes, string ns, LevelVersion level)
    {
        var broken = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var pod in reader.List<Pod>(ns).Take(MostPodsChecked))
        {
            var found = PodSecurityStandards.Check(level, pod.Metadata, pod.Spec);
            if (found.Count > 0)
            {
                var rules = string.Join(", ", found.Select(f => f.Rule));
                (broken.TryGetValue(rules, out var names) ? names : broken[rules] = []).Add(pod.Metadata.Name);
            }
        }

        if (broken.Count == 0)
        {
            return;
        }

        attributes.Warn($"existing pods in namespace \"{ns}\" violate the new PodSecurity enforce level \"{level}\"");
        foreach (var (rules, names) in broken)
        {
            attributes.Warn($"{names.Min(StringComparer.Ordinal)}{(names.Count == 1 ? "" : names.Count == 2 ? " (and 1 other pod)" : $" (and {names.Count - 1} other pods)")}: {rules}");
        }
    }

    /// <summary>Did what the standards look at change? Metadata, tolerations and deadlines did not bring in anything.</summary>
    private static bool IsSignificant(Pod pod, Pod old)
    {
        var (a, b) = (pod.Spec.Clone(), old.Spec.Clone());
        foreach (var spec in new[] { a, b })
        {
            spec.Tolerations = null;
            spec.ActiveDeadlineSeconds = null;
            spec.SchedulingGates = null;
        }

        return !ApiStruct.DeepEquals(a, b);
    }
}
