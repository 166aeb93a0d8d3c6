using Hardway.Api;
using Hardway.Linux.Machine;

namespace Hardway.Kubelet;

/// <summary>What is known of this node once the kubelet has started. Immutable.</summary>
internal sealed record NodeFacts(string Name, IReadOnlyList<string> Ips, MachineInfo Machine, IReadOnlyDictionary<string, Quantity> Capacity, IReadOnlyDictionary<string, Quantity> Allocatable, string Runtime);
