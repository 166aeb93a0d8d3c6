using Hardway.Api;

namespace Hardway.Client;

/// <summary>What an informer sees, and how it copes.</summary>
public sealed record InformerOptions
{
    /// <summary>Null: all namespaces.</summary>
    public string? Namespace { get; init; }

    public string LabelSelector { get; init; } = "";
    public string FieldSelector { get; init; } = "";

    /// <summary>Handlers get an update for every object this often, changed or not; zero: never.</summary>
    public TimeSpan Resync { get; init; }

    /// <summary>The first wait after a failure; it doubles, with jitter, up to <see cref="MaxBackoff"/>.</summary>
    public TimeSpan MinBackoff { get; init; } = TimeSpan.FromMilliseconds(200);

    public TimeSpan MaxBackoff { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Takes out of an object what nobody reads, before it is kept; null: nothing but managedFields.</summary>
    public Action<KubeObject>? Trim { get; init; }

    /// <summary>A watch is asked to last this long, up to twice as long by chance.</summary>
    public TimeSpan WatchTimeout { get; init; } = TimeSpan.FromMinutes(5);
}
