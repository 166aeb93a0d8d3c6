namespace Hardway.MetricsServer.Scraping;

/// <summary>What something had used up to a moment: CPU as seconds since it began, memory as bytes at that moment.</summary>
internal readonly record struct ResourceSample(DateTimeOffset Time, double CpuSeconds, double MemoryBytes, DateTimeOffset Started);

/// <summary>Everything that one kubelet told at once. Containers are by "namespace/pod" and their name.</summary>
internal sealed record NodeSample(ResourceSample? Node, IReadOnlyDictionary<string, IReadOnlyDictionary<string, ResourceSample>> Pods);
