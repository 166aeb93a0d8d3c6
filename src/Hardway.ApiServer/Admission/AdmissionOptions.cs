using Hardway.Hosting;

namespace Hardway.ApiServer.Admission;

/// <summary>Which plugins have a say: the default ones, those that the command line adds and those that it takes away.</summary>
internal sealed class AdmissionOptions
{
    public IReadOnlyList<string> Enabled { get; private set; } = [];

    public IReadOnlyList<string> Disabled { get; private set; } = [];

    /// <summary>AdmissionConfiguration: what plugins are told.</summary>
    public string ConfigFile { get; private set; } = "";

    public AdmissionConfig Config { get; private set; } = new();

    public long NotReadySeconds { get; private set; } = 300;

    public long UnreachableSeconds { get; private set; } = 300;

    public void AddFlags(FlagSet flags)
    {
        flags.StringList("enable-admission-plugins", "Plugins besides those on by default.", v => Enabled = v);
        flags.StringList("disable-admission-plugins", "Plugins of the default ones to leave out.", v => Disabled = v);
        flags.String("admission-control-config-file", "AdmissionConfiguration: what plugins are told.", v => ConfigFile = v);
        flags.Int("default-not-ready-toleration-seconds", "How long Pods stay on a node that is not ready.", v => NotReadySeconds = v, 300, 0);
        flags.Int("default-unreachable-toleration-seconds", "How long Pods stay on a node that cannot be reached.", v => UnreachableSeconds = v, 300, 0);
    }

    /// <summary>Reads the configuration file, if there is one.</summary>
    /// <exception cref="ComponentException">What is wrong and where.</exception>
    public void Load()
    {
        Config = ConfigFile.Length > 0 ? AdmissionConfig.Read(ConfigFile) : Config;
        if (Enabled.Contains("EventRateLimit") && Config.EventLimits.Count == 0)
        {
            throw new ComponentException("--enable-admission-plugins=EventRateLimit needs its limits in --admission-control-config-file");
        }

        if (Enabled.Contains("ImagePolicyWebhook") && Config.ImagePolicy is null)
        {
            throw new ComponentException("--enable-admission-plugins=ImagePolicyWebhook needs its configuration in --admission-control-config-file");
        }
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
