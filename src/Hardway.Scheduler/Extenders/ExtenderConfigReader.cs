using Hardway.Hosting;

namespace Hardway.Scheduler.Extenders;

/// <summary>Reads the extenders of a KubeSchedulerConfiguration, with upstream's checks.</summary>
internal static class ExtenderConfigReader
{
    public static List<ExtenderConfig> Read(ConfigObject root)
    {
        var extenders = root.Objects("extenders").ConvertAll(Extender);
        if (extenders.Count(e => e.BindVerb.Length > 0) > 1)
        {
            throw root.Wrong("extenders", "has several that bind; at most one may");
        }

        if (extenders.SelectMany(e => e.ManagedResources).GroupBy(r => r).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw root.Wrong("extenders", $"has managed resource {twice.Key} twice");
        }

        return extenders;
    }

    private static ExtenderConfig Extender(ConfigObject section)
    {
        var prefix = section.String("urlPrefix");
        if (!Uri.TryCreate(prefix.TrimEnd('/'), UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
        {
            throw section.Wrong("urlPrefix", $"is \"{prefix}\", not an http or https URL");
        }

        var resources = section.Objects("managedResources").ConvertAll(r => (Name: r.String("name"), Ignored: r.Bool("ignoredByScheduler")));
        if (resources.Find(r => !r.Name.Contains('/') || r.Name.StartsWith("kubernetes.io/", StringComparison.Ordinal)).Name is { } wrong)
        {
            throw section.Wrong("managedResources", $"has \"{wrong}\", which is no extended resource (example.com/name)");
        }

        var config = new ExtenderConfig
        {
            UrlPrefix = url,
            FilterVerb = section.String("filterVerb"),
            PreemptVerb = section.String("preemptVerb"),
            PrioritizeVerb = section.String("prioritizeVerb"),
            BindVerb = section.String("bindVerb"),
            Weight = section.Int("weight", 1),
            Timeout = section.Duration("httpTimeout", TimeSpan.FromSeconds(5)),
            NodeCacheCapable = section.Bool("nodeCacheCapable"),
            ManagedResources = resources.ConvertAll(r => r.Name),
            IgnoredByScheduler = resources.FindAll(r => r.Ignored).ConvertAll(r => r.Name),
            Ignorable = section.Bool("ignorable"),
            Tls = section.Bool("enableHTTPS") | section.Has("tlsConfig") ? Tls(section.Object("tlsConfig")) : null,
        };
        return config.PrioritizeVerb.Length > 0 && config.Weight <= 0 ? throw section.Wrong("weight", "must be positive for an extender that prioritizes") : config;
    }

    private static ExtenderTlsConfig Tls(ConfigObject section) => new(
        section.Bool("insecure"), section.String("serverName"), Material(section, "ca"), Material(section, "cert"), Material(section, "key"));

    private static byte[]? Material(ConfigObject section, string what)
    {
        var (file, data) = (section.String(what + "File"), section.String(what + "Data"));
        try
        {
            return data.Length > 0 ? Convert.FromBase64String(data) : file.Length > 0 ? File.ReadAllBytes(file) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            throw section.Wrong($"tlsConfig.{what}", $"cannot be read: {e.Message}", e);
        }
    }
}
