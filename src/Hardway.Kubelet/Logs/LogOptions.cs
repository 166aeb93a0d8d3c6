namespace Hardway.Kubelet.Logs;

/// <summary>What a reader of a container's log asked for. Null: no bound.</summary>
internal sealed record LogOptions
{
    public long? TailLines { get; init; }
    public long? LimitBytes { get; init; }
    public DateTimeOffset? Since { get; init; }
    public bool Timestamps { get; init; }
    public bool Follow { get; init; }
    public bool Stdout { get; init; } = true;
    public bool Stderr { get; init; } = true;
}
