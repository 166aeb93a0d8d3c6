using Hardway.Api;

namespace Hardway.Kubelet.Eviction;

/// <summary>How much of something is left, of how much.</summary>
internal readonly record struct SignalReading(Quantity Available, Quantity Capacity);
