using Hardway.Api;

namespace Hardway.ApiServer.Registry;

/// <summary>
/// --runtime-config: api/all, api/ga, api/beta, api/alpha, GROUP/VERSION and GROUP/VERSION/RESOURCE, each true or false; the more specific wins.
/// And --feature-gates, for resources that need one. Immutable.
/// </summary>
internal sealed class RuntimeConfig(IReadOnlyDictionary<string, string> settings, FeatureGates gates)
{
    private static readonly string[] s_levels = ["api/all", "api/ga", "api/beta", "api/alpha"];

    public static readonly RuntimeConfig Default = new(new Dictionary<string, string>(), FeatureGates.Default);

    public bool IsOn(ResourceInfo resource) => gates.AllOn(resource.Gate) && (Setting($"{resource.ApiVersion}/{resource.Plural}")
        ?? Setting(resource.ApiVersion)
        ?? Setting(resource.Stability switch { "stable" => "api/ga", "beta" => "api/beta", _ => "api/alpha" })
        ?? Setting("api/all")
        ?? resource.OnByDefault);

    /// <summary>What is not known or not true or false, one line each.</summary>
    public IEnumerable<string> Problems()
    {
        foreach (var (key, value) in settings)
        {
            if (FeatureGates.Parse(value) is null)
            {
                yield return $"--runtime-config has {key}={value}, which is neither true nor false";
            }

            if (!s_levels.Contains(key) && !ApiCatalog.Resources.Any(r => key == r.ApiVersion || key == $"{r.ApiVersion}/{r.Plural}"))
            {
                yield return $"--runtime-config has {key}, which is no API of this server: give GROUP/VERSION, GROUP/VERSION/RESOURCE or one of {string.Join(", ", s_levels)}";
            }
        }
    }

    private bool? Setting(string key) => settings.TryGetValue(key, out var text) ? FeatureGates.Parse(text) : null;
}
