using Hardway.Hosting;

namespace Hardway.ApiServer.Admission.Plugins.PodSecurity;

/// <summary>What namespaces without labels have, and who and what is left alone. Immutable.</summary>
internal sealed record PodSecurityConfig(NamespacePolicy Defaults, IReadOnlyList<string> Users, IReadOnlyList<string> Namespaces, IReadOnlyList<string> RuntimeClasses)
{
    public static readonly PodSecurityConfig None = new(new NamespacePolicy(LevelVersion.Privileged, LevelVersion.Privileged, LevelVersion.Privileged), [], [], []);

    public static PodSecurityConfig Read(ConfigObject config)
    {
        var defaults = config.Object("defaults");
        var exemptions = config.Object("exemptions");
        return new PodSecurityConfig(
            new NamespacePolicy(Level(defaults, "enforce"), Level(defaults, "audit"), Level(defaults, "warn")),
            exemptions.Strings("usernames"), exemptions.Strings("namespaces"), exemptions.Strings("runtimeClasses"));
    }

    private static LevelVersion Level(ConfigObject defaults, string mode)
    {
        var (level, version) = (defaults.String(mode, "privileged"), defaults.String(mode + "-version", "latest"));
        return NamespacePolicy.TryParse(level, version, out var parsed)
            ? parsed
            : throw defaults.Wrong("defaults." + mode, $"is \"{level}\" of \"{version}\", not privileged, baseline or restricted of latest or v1.x");
    }
}
