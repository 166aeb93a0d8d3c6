using Hardway.Kubelet.Backoff;
using Hardway.Kubelet.Cgroups;
using Hardway.Kubelet.Configuration;
using Hardway.Kubelet.Containers;
using Hardway.Kubelet.Cri;
using Hardway.Kubelet.Events;
using Hardway.Kubelet.Images;
using Hardway.Kubelet.Lifecycle;
using Hardway.Kubelet.Probes;
using Hardway.Kubelet.Qos;
using Hardway.Kubelet.Resizing;
using Hardway.Kubelet.Runtime;
using Hardway.Kubelet.Sandboxes;
using Hardway.Kubelet.Sources;
using Hardway.Kubelet.Stats;
using Hardway.Kubelet.Status;
using Hardway.Kubelet.Volumes;
using Microsoft.Extensions.Logging;

namespace Hardway.Kubelet.Pods;

/// <summary>What every Pod's worker works with; shared, safe for many threads.</summary>
internal sealed record PodServices
{
    public required KubeletConfig Config { get; init; }
    public required NodeFacts Node { get; init; }
    public required RuntimeClient Runtime { get; init; }
    public required RuntimeReader Reader { get; init; }
    public required SandboxConfigBuilder Sandboxes { get; init; }
    public required ContainerStarter Starter { get; init; }
    public required ContainerKiller Killer { get; init; }
    public required ImagePuller Images { get; init; }
    public required VolumeSet Volumes { get; init; }
    public required ProjectedData Data { get; init; }
    public required PodDirectories Directories { get; init; }
    public required PodCgroups CgroupNames { get; init; }
    public required IPodCgroupDriver Cgroups { get; init; }
    public required Prober Prober { get; init; }
    public required StatusWriter Status { get; init; }
    public required PodEvents Events { get; init; }
    public required PodDeleter Deleter { get; init; }
    public required AdmissionCheck Admission { get; init; }
    public required PodAllocations Allocations { get; init; }
    public required ContainerResizer Resizer { get; init; }
    public required ApiObjects Objects { get; init; }
    public required BackoffTable Restarts { get; init; }
    public required KubeletMetrics Metrics { get; init; }
    public required TimeProvider Time { get; init; }
    public required ILogger Log { get; init; }
}
