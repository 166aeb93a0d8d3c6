using Hardway.Api.FlowControl.V1;
using Hardway.ApiServer.Http;
using Microsoft.Extensions.Primitives;

namespace Hardway.ApiServer.FlowControl;

/// <summary>A flow schema as requests are matched with it. Immutable.</summary>
internal sealed class CompiledSchema
{
    private const string AccountPrefix = "system:serviceaccount:";
    private readonly List<PolicyRulesWithSubjects> _rules;
    private readonly string _method;

    public CompiledSchema(FlowSchema schema, PriorityLevel level, string levelUid, FlowCounts counts)
    {
        Name = schema.Metadata.Name;
        Precedence = schema.Spec.MatchingPrecedence;
        Level = level;
        Uid = schema.Metadata.Uid.Length == 0 ? StringValues.Empty : schema.Metadata.Uid;
        LevelUid = levelUid;
        Counts = counts;
        _rules = schema.Spec.Rules ?? [];
        _method = schema.Spec.DistinguisherMethod?.Type ?? "";
    }

    public string Name { get; }

    public int Precedence { get; }

    public PriorityLevel Level { get; }

    public FlowCounts Counts { get; }

    /// <summary>Empty of a built-in one that the store does not have yet.</summary>
    public StringValues Uid { get; }

    public StringValues LevelUid { get; }

    public ulong Flow(RequestInfo info, UserInfo user) => ShuffleShard.Hash(Name, _method switch
    {
        "ByUser" => user.Name,
        "ByNamespace" => info.Namespace,
        _ => "",
    });

    public bool Fits(RequestInfo info, UserInfo user)
    {
        foreach (var rule in _rules)
        {
            if (FitsRequest(rule, info) && FitsSubject(rule, user))
            {
                return true;
            }
        }

        return false;
    }

    private static bool FitsRequest(PolicyRulesWithSubjects rule, RequestInfo info)
    {
        if (!info.IsResource)
        {
            foreach (var paths in rule.NonResourceRules ?? [])
            {
                if (Has(paths.Verbs, info.Verb) && FitsPath(paths.NonResourceURLs, info.Path))
                {
                    return true;
                }
            }

            return false;
        }

        foreach (var resources in rule.ResourceRules ?? [])
        {
            if (Has(resources.Verbs, info.Verb) && Has(resources.ApiGroups, info.Group) && FitsResource(resources.Resources, info)
                && (info.Namespace.Length == 0 ? resources.ClusterScope : Has(resources.Namespaces, info.Namespace)))
            {
                return true;
            }
        }

        return false;
    }

    private static bool FitsSubject(PolicyRulesWithSubjects rule, UserInfo user)
    {
        foreach (var subject in rule.Subjects ?? [])
        {
            if (subject.User is { } one ? one.Name == "*" || one.Name == user.Name
                : subject.Group is { } group ? group.Name == "*" || user.InGroup(group.Name)
                : subject.ServiceAccount is { } account && FitsAccount(account, user.Name))
            {
                return true;
            }
        }

        return false;
    }

    private static bool FitsAccount(ServiceAccountSubject account, string user)
    {
        if (!user.StartsWith(AccountPrefix, StringComparison.Ordinal))
        {
            return false;
        }

        var rest = user.AsSpan(AccountPrefix.Length);
        var colon = rest.IndexOf(':');
        return colon > 0 && rest[..colon].SequenceEqual(account.Namespace) && (account.Name == "*" || rest[(colon + 1)..].SequenceEqual(account.Name));
    }

    private static bool FitsResource(List<string>? resources, RequestInfo info)
    {
        foreach (var resource in resources ?? [])
        {
            if (resource == "*" || (info.Subresource.Length == 0 ? resource == info.Resource : IsPair(resource, info.Resource, info.Subresource)))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsPair(string text, string resource, string subresource) =>
        text.Length == resource.Length + 1 + subresource.Length && text.StartsWith(resource, StringComparison.Ordinal) && text[resource.Length] == '/' && text.EndsWith(subresource, StringComparison.Ordinal);

    private static bool FitsPath(List<string>? paths, string path)
    {
        foreach (var one in paths ?? [])
        {
            if (one == "*" || one == path || (one.EndsWith("/*", StringComparison.Ordinal) && path.StartsWith(one.AsSpan(0, one.Length - 1), StringComparison.Ordinal)))
            {
                return true;
            }
        }

        return false;
    }

    private static bool Has(List<string>? values, string value)
    {
        foreach (var one in values ?? [])
        {
            if (one == "*" || one == value)
            {
                return true;
            }
        }

        return false;
    }
}
