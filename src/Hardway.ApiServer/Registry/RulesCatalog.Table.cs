namespace Hardway.ApiServer.Registry;

internal static partial class RulesCatalog
{
    private static Dictionary<(string Group, string Kind), KindRules> Table() => new()
    {
        // [("", "Pod")] = new PodRules(),
    };
}
