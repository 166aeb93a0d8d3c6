using Hardway.Api.Core.V1;
namespace Hardway.Kubelet.Status;

/// <summary>What the kubelet itself knows of a container beside what the runtime says: why it waits, and what its probes found. Immutable.</summary>
internal sealed record ContainerFacts
{
    public static readonly ContainerFacts None = new();

    /// <summary>Why the container is not started (ErrImagePull, CrashLoopBackOff, ...). Null: nothing is wrong.</summary>
    public string? WaitingReason { get; init; }

    public string WaitingMessage { get; init; } = "";

    /// <summary>Null: has no readiness probe, so running means ready.</summary>
    public bool? ReadinessPassed { get; init; }

    /// <summary>The resources a running container really has; null: those of its spec.</summary>
    public ResourceRequirements? Actuated { get; init; }

    /// <summary>Null: has no startup probe, so running means started.</summary>
    public bool? StartupPassed { get; init; }
}
