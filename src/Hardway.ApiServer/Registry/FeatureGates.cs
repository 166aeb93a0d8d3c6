namespace Hardway.ApiServer.Registry;

/// <summary>--feature-gates: single gates, and AllAlpha and AllBeta for those that are off by default. Immutable.</summary>
internal sealed class FeatureGates(IReadOnlyDictionary<string, string> settings)
{
    public static readonly FeatureGates Default = new(new Dictionary<string, string>());

    /// <summary>Whether the gate is on, with the default that the schema knows of it.</summary>
    public bool IsOn(string name, bool @default) => Setting(name) ?? (@default || Setting("AllAlpha") == true);

    /// <summary>Whether all gates of a list such as "Name:on,Other:off" are on.</summary>
    public bool AllOn(string gates)
    {
        foreach (var part in gates.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = part.IndexOf(':');
            var (name, isOn) = colon < 0 ? (part, false) : (part[..colon], part[(colon + 1)..] == "on");
            if (!IsOn(name, isOn))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>What is not known or neither true nor false, one line each.</summary>
    public IEnumerable<string> Problems()
    {
        foreach (var (name, value) in settings)
        {
            if (Parse(value) is null)
            {
                yield return $"--feature-gates has {name}={value}, which is neither true nor false";
            }

            if (!FeatureGateNames.Has(name))
            {
                yield return $"--feature-gates has {name}, which is no feature gate of 1.36";
            }
        }
    }

    /// <summary>A boolean in Go's spellings; nothing at all is true.</summary>
    public static bool? Parse(string text) => text switch
    {
        "" or "1" or "t" or "T" or "true" or "True" or "TRUE" => true,
        "0" or "f" or "F" or "false" or "False" or "FALSE" => false,
        _ => null,
    };

    private bool? Setting(string name) => settings.TryGetValue(name, out var text) ? Parse(text) : null;
}
