using Hardway.Api;

namespace Hardway.ApiServer.Registry;

/// <summary>
/// Which rules a kind has: by group and kind, whatever the version, as rules see the storage version. A kind that is not listed
/// has <see cref="DefaultRules"/>. The table itself is in RulesCatalog.Table.cs, one line a kind.
/// </summary>
internal static partial class RulesCatalog
{
    private static readonly Dictionary<(string Group, string Kind), KindRules> s_rules = Table();

    public static KindRules Find(ResourceInfo resource) =>
        s_rules.GetValueOrDefault((resource.Group, resource.Kind))
        ?? (resource.Subresources.Any(s => s.Name == "status") ? DefaultRules.WithStatus : DefaultRules.Instance);
}
