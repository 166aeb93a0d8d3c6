using Hardway.Hosting;

namespace Hardway.ApiServer.Admission;

/// <summary>Which plugins have a say: the default ones, those that the command line adds and those that it takes away.</summary>
internal sealed class AdmissionOptions
{
    public IReadOnlyList<string> Enabled { get; private set; } = [];

    public IReadOnlyList<string> Disabled { get; private set; } = [];

    public long NotReadySeconds { get; private set; } = 300;

    public long UnreachableSeconds { get; private set; } = 300;

    public void AddFlags(FlagSet flags)
    {
        flags.StringList("enable-admission-plugins", "Plugins besides those on by default.", v => Enabled = v);
        flags.StringList("disable-admission-plugins", "Plugins of the default ones to leave out.", v => Disabled = v);
        flags.Int("default-not-ready-toleration-seconds", "How long Pods stay on a node that is not ready.", v => NotReadySeconds = v, 300, 0);
        flags.Int("default-unreachable-toleration-seconds", "How long Pods stay on a node that cannot be reached.", v => UnreachableSeconds = v, 300, 0);
    }

    /// <summary>What is wrong, one line each.</summary>
    public IEnumerable<string> Problems()
    {
        foreach (var name in Enabled.Concat(Disabled).Distinct())
        {
            if (!AdmissionCatalog.IsKnown(name))
            {
                yield return $"there is no admission plugin \"{name}\"; known are {string.Join(", ", AdmissionCatalog.Names)}";
            }
            else if (Enabled.Contains(name) && Disabled.Contains(name))
            {
                yield return $"the admission plugin {name} is both enabled and disabled";
            }
        }
    }
}
