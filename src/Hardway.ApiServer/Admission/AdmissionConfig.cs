using Hardway.ApiServer.Admission.Plugins.Policy;
using Hardway.ApiServer.Admission.Plugins.PodSecurity;
using Hardway.ApiServer.Configuration;
using Hardway.Hosting;

namespace Hardway.ApiServer.Admission;

/// <summary>AdmissionConfiguration of apiserver.config.k8s.io: what plugins are told, here or in files of their own. Immutable.</summary>
internal sealed record AdmissionConfig
{
    public IReadOnlyList<EventLimit> EventLimits { get; init; } = [];

    public PodSecurityConfig PodSecurity { get; init; } = PodSecurityConfig.None;

    public ImagePolicyConfig? ImagePolicy { get; init; }

    /// <exception cref="ComponentException">What is wrong and where.</exception>
    public static AdmissionConfig Read(string path)
    {
        var root = ConfigFile.Read(path, "apiserver.config.k8s.io", "AdmissionConfiguration", "v1", "v1alpha1");
        var config = new AdmissionConfig();
        foreach (var plugin in root.Objects("plugins"))
        {
            var (name, file) = (plugin.String("name"), plugin.String("path"));
            if (!AdmissionCatalog.IsKnown(name))
            {
                throw plugin.Wrong("plugins", $"configures \"{name}\", which is no admission plugin here");
            }

            var own = file.Length > 0 ? Path.IsPathRooted(file) ? file : Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, file) : null;
            if (own is not null && name == "ImagePolicyWebhook")
            {
                throw plugin.Wrong("plugins", "has a path for ImagePolicyWebhook: give its configuration inline");
            }

            config = config.With(name, (group, kind, versions) => own is null ? Inline(plugin.Object("configuration"), group, kind, versions) : ConfigFile.Read(own, group, kind, versions), plugin);
        }

        root.Done();
        return config;
    }

    private delegate ConfigObject Source(string group, string kind, params ReadOnlySpan<string> versions);

    private AdmissionConfig With(string plugin, Source source, ConfigObject at) => plugin switch
    {
        "EventRateLimit" => this with { EventLimits = Done(source("eventratelimit.admission.k8s.io", "Configuration", "v1alpha1"), ReadLimits) },
        "PodSecurity" => this with { PodSecurity = Done(source("pod-security.admission.config.k8s.io", "PodSecurityConfiguration", "v1", "v1beta1", "v1alpha1"), PodSecurityConfig.Read) },
        "ImagePolicyWebhook" => this with { ImagePolicy = ReadImagePolicy(source) },
        _ => throw at.Wrong("plugins", $"configures {plugin}, which takes no configuration here"),
    };

    /// <summary>It has neither apiVersion nor kind, so it can only stand inline.</summary>
    private static ImagePolicyConfig ReadImagePolicy(Source source) =>
        Done(source("", "", ""), c => ImagePolicyConfig.Read(c.Object("imagePolicy")));

    private static T Done<T>(ConfigObject config, Func<ConfigObject, T> read)
    {
        var value = read(config);
        config.Done();
        return value;
    }

    private static ConfigObject Inline(ConfigObject config, string group, string kind, ReadOnlySpan<string> versions)
    {
        var (version, given) = (config.String("apiVersion"), config.String("kind"));
        var isKnown = group.Length == 0;
        foreach (var one in versions)
        {
            isKnown |= version == group + "/" + one;
        }

        return isKnown && (group.Length == 0 || given == kind) ? config : throw config.Wrong("configuration", $"is {given} of {version}, not {kind} of {group}/{versions[0]}");
    }

    private static IReadOnlyList<EventLimit> ReadLimits(ConfigObject config)
    {
        List<EventLimit> limits = [];
        foreach (var limit in config.Objects("limits"))
        {
            var type = limit.String("type");
            if (!Enum.TryParse<EventLimitType>(type, out var parsed) || !Enum.IsDefined(parsed) || char.IsAsciiDigit(type[0]))
            {
                throw limit.Wrong("limits", $"has the type \"{type}\", which is not one of {string.Join(", ", Enum.GetNames<EventLimitType>())}");
            }

            limits.Add(new EventLimit(parsed, limit.Int("qps", 0, 1), limit.Int("burst", 0, 1), limit.Int("cacheSize", 4096, 0) is var size && size > 0 ? size : 4096));
        }

        return limits.Count > 0 ? limits : throw config.Wrong("limits", "must have one");
    }
}
