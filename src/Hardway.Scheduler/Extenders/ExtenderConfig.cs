namespace Hardway.Scheduler.Extenders;

/// <summary>An extender as the configuration gives it. A verb that is empty is not called.</summary>
internal sealed record ExtenderConfig
{
    public required Uri UrlPrefix { get; init; }
    public string FilterVerb { get; init; } = "";
    public string PreemptVerb { get; init; } = "";
    public string PrioritizeVerb { get; init; } = "";
    public string BindVerb { get; init; } = "";
    public int Weight { get; init; } = 1;
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>It keeps the nodes itself: names are enough.</summary>
    public bool NodeCacheCapable { get; init; }

    /// <summary>Only Pods that ask for one of these; empty: all Pods.</summary>
    public IReadOnlyList<string> ManagedResources { get; init; } = [];

    /// <summary>Of those, the ones that NodeResourcesFit passes over.</summary>
    public IReadOnlyList<string> IgnoredByScheduler { get; init; } = [];

    /// <summary>Scheduling goes on without it when it fails.</summary>
    public bool Ignorable { get; init; }

    public ExtenderTlsConfig? Tls { get; init; }
}

/// <summary>Certificates in files, or in the configuration itself.</summary>
internal sealed record ExtenderTlsConfig(bool Insecure, string ServerName, byte[]? Authority, byte[]? Certificate, byte[]? Key);
