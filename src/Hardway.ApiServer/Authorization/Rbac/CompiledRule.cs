using Hardway.Api.Rbac.V1;

namespace Hardway.ApiServer.Authorization.Rbac;

/// <summary>A PolicyRule made ready for many questions. Immutable.</summary>
internal sealed class CompiledRule(PolicyRule rule)
{
    private readonly string[] _verbs = ToArray(rule.Verbs);
    private readonly string[] _groups = ToArray(rule.ApiGroups);
    private readonly string[] _resources = ToArray(rule.Resources);
    private readonly string[] _names = ToArray(rule.ResourceNames);
    private readonly string[] _paths = ToArray(rule.NonResourceURLs);
    private readonly bool _anyVerb = rule.Verbs?.Contains("*") ?? false;
    private readonly bool _anyGroup = rule.ApiGroups?.Contains("*") ?? false;
    private readonly bool _anyResource = rule.Resources?.Contains("*") ?? false;

    public PolicyRule Rule { get; } = rule;

    public bool AllowsResource(string verb, string group, string resource, string subresource, string name) =>
        (_anyVerb || Has(_verbs, verb))
        && (_anyGroup || Has(_groups, group))
        && (_anyResource || MatchesResource(resource, subresource))
        && (_names.Length == 0 || Has(_names, name));

    public bool AllowsPath(string verb, string path) => _paths.Length > 0 && (_anyVerb || Has(_verbs, verb)) && MatchesPath(path);

    internal bool MatchesPath(string path)
    {
        foreach (var own in _paths)
        {
            if (own == "*" || own == path || (own.Length > 0 && own[^1] == '*' && path.StartsWith(own.AsSpan(0, own.Length - 1), StringComparison.Ordinal)))
            {
                return true;
            }
        }

        return false;
    }

    private bool MatchesResource(string resource, string subresource)
    {
        foreach (var own in _resources)
        {
            if (subresource.Length == 0)
            {
                if (own == resource)
                {
                    return true;
                }

                continue;
            }

            var slash = own.IndexOf('/', StringComparison.Ordinal);
            if (slash > 0 && own.AsSpan(slash + 1).SequenceEqual(subresource) && (own.AsSpan(0, slash) is "*" || own.AsSpan(0, slash).SequenceEqual(resource)))
            {
                return true;
            }
        }

        return false;
    }

    private static bool Has(string[] values, string value) => Array.IndexOf(values, value) >= 0;

    private static string[] ToArray(List<string>? values) => values is null ? [] : [.. values];
}
