using Hardway.Api;
using Hardway.Api.Audit.V1;
using Hardway.ApiServer.Http;

namespace Hardway.ApiServer.Audit;

/// <summary>The policy file, compiled: the first rule that fits a request decides; none means that it is not noted. Immutable.</summary>
internal sealed class AuditPolicy
{
    private const int Largest = 1 << 20;
    private readonly (PolicyRule Rule, AuditDecision Decision)[] _rules;

    private AuditPolicy((PolicyRule, AuditDecision)[] rules) => _rules = rules;

    public static AuditPolicy Read(string path)
    {
        if (new FileInfo(path).Length > Largest)
        {
            throw new InvalidDataException($"{path}: larger than {Largest} bytes");
        }

        return Parse(path, File.ReadAllText(path));
    }

    /// <exception cref="InvalidDataException">What is wrong and where.</exception>
    internal static AuditPolicy Parse(string path, string yaml)
    {
        try
        {
            var report = new DecodeReport();
            var policy = ApiJson.Deserialize<Policy>(YamlJson.ToJson(yaml), report);
            if (policy is not { ApiVersion: "audit.k8s.io/v1", Kind: "Policy" })
            {
                throw new InvalidDataException($"{path}: this must be Policy of audit.k8s.io/v1, not {policy.Kind} of {policy.ApiVersion}");
            }

            if (!report.IsEmpty)
            {
                throw new InvalidDataException($"{path}: {report.Unknown.Concat(report.Duplicate).First()} is unknown or stands twice");
            }

            var all = policy.Rules ?? [];
            return all.Count == 0
                ? throw new InvalidDataException($"{path}: a policy must have at least one rule")
                : new AuditPolicy([.. all.Select((rule, i) => (rule, Compile(path, policy, rule, i)))]);
        }
        catch (ApiDecodeException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }

    public AuditDecision Decide(RequestInfo info, UserInfo user)
    {
        foreach (var (rule, decision) in _rules)
        {
            if (Fits(rule, info, user))
            {
                return decision;
            }
        }

        return default;
    }

    private static AuditDecision Compile(string path, Policy policy, PolicyRule rule, int index)
    {
        if (!Enum.TryParse<AuditLevel>(rule.Level, out var level) || !Enum.IsDefined(level) || char.IsAsciiDigit(rule.Level[0]))
        {
            throw new InvalidDataException($"{path}: rules[{index}].level is \"{rule.Level}\", which is not None, Metadata, Request or RequestResponse");
        }

        if (rule.NonResourceURLs is { Count: > 0 } && (rule.Resources is { Count: > 0 } || rule.Namespaces is { Count: > 0 }))
        {
            throw new InvalidDataException($"{path}: rules[{index}] is about paths and about resources; it can be about one of them");
        }

        var omitted = AuditStages.None;
        foreach (var stage in (policy.OmitStages ?? []).Concat(rule.OmitStages ?? []))
        {
            omitted |= Enum.TryParse<AuditStages>(stage, out var one) && one != AuditStages.None
                ? one
                : throw new InvalidDataException($"{path}: rules[{index}].omitStages has \"{stage}\", which is no stage");
        }

        return new AuditDecision(level, omitted, rule.OmitManagedFields ?? policy.OmitManagedFields);
    }

    private static bool Fits(PolicyRule rule, RequestInfo info, UserInfo user)
    {
        if ((rule.Users is { Count: > 0 } users && !users.Contains(user.Name))
            || (rule.UserGroups is { Count: > 0 } groups && !groups.Any(user.InGroup))
            || (rule.Verbs is { Count: > 0 } verbs && !verbs.Contains(info.Verb)))
        {
            return false;
        }

        if (rule.Namespaces is { Count: > 0 } || rule.Resources is { Count: > 0 })
        {
            return info.IsResource && FitsResource(rule, info);
        }

        return rule.NonResourceURLs is not { Count: > 0 } paths
            || (!info.IsResource && paths.Any(p => p == "*" || p == info.Path || (p.EndsWith('*') && info.Path.StartsWith(p.AsSpan(0, p.Length - 1), StringComparison.Ordinal))));
    }

    private static bool FitsResource(PolicyRule rule, RequestInfo info)
    {
        if (rule.Namespaces is { Count: > 0 } namespaces && !namespaces.Contains(info.Namespace))
        {
            return false;
        }

        if (rule.Resources is not { Count: > 0 } resources)
        {
            return true;
        }

        var full = info.Subresource.Length == 0 ? info.Resource : info.Resource + "/" + info.Subresource;
        return resources.Any(r => r.Group == info.Group
            && (r.Resources is not { Count: > 0 } names || names.Any(n => n == "*" || n == full || (info.Subresource.Length > 0 && (n == info.Resource + "/*" || n == "*/" + info.Subresource))))
            && (r.ResourceNames is not { Count: > 0 } objects || objects.Contains(info.Name)));
    }
}
