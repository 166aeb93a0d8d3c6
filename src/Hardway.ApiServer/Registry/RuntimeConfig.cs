using Hardway.Api;
using Hardway.ApiServer.Http;

namespace Hardway.ApiServer.Registry;

/// <summary>
/// --runtime-config: api/all, api/ga, api/beta, api/alpha, GROUP/VERSION and GROUP/VERSION/RESOURCE, each true or false; the more specific wins.
/// And --feature-gates, for resources that need one. Immutable.
/// </summary>
internal sealed class RuntimeConfig(IReadOnlyDictionary<string, string> settings, IReadOnlyDictionary<string, bool> gates)
{
    public static readonly RuntimeConfig Default = new(new Dictionary<string, string>(), new Dictionary<string, bool>());

    public bool IsOn(ResourceInfo resource)
    {
        if (!HasGates(resource.Gate))
        {
            return false;
        }

        return Setting($"{resource.ApiVersion}/{resource.Plural}")
            ?? Setting(resource.ApiVersion)
            ?? Setting(resource.Stability switch { "stable" => "api/ga", "beta" => "api/beta", _ => "api/alpha" })
            ?? Setting("api/all")
            ?? resource.OnByDefault;
    }

    /// <summary>Whether an off-by-default gate has been switched.</summary>
    public bool Gate(string name, bool @default) =>
        gates.TryGetValue(name, out var on) ? on : @default;

    private bool? Setting(string key) => settings.TryGetValue(key, out var text) ? RequestInfoResolver.IsTrue(text) : null;

    private bool HasGates(string all)
    {
        foreach (var part in all.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = part.IndexOf(':');
            var (name, isOn) = colon < 0 ? (part, false) : (part[..colon], part[(colon + 1)..] == "on");
            var alphaOrBeta = gates.TryGetValue("AllAlpha", out var allAlpha) && allAlpha;
            if (!Gate(name, isOn || alphaOrBeta))
            {
                return false;
            }
        }

        return true;
    }
}
