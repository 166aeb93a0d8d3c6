using Hardway.Hosting;

namespace Hardway.Kubelet.Stats;

/// <summary>The kubelet's own metrics, under upstream's names.</summary>
internal sealed class KubeletMetrics
{
    public KubeletMetrics(Metrics metrics, string nodeName)
    {
        RuntimeOperations = metrics.Counter("kubelet_runtime_operations_total", "Cumulative number of runtime operations by operation type.", "operation_type");
        RuntimeErrors = metrics.Counter("kubelet_runtime_operations_errors_total", "Cumulative number of runtime operation errors by operation type.", "operation_type");
        RuntimeDuration = metrics.Histogram("kubelet_runtime_operations_duration_seconds", "Duration in seconds of runtime operations. Broken down by operation type.", null, "operation_type");
        PodStart = metrics.Histogram("kubelet_pod_start_duration_seconds", "Duration in seconds from kubelet seeing a pod for the first time to the pod starting to run");
        PlegRelist = metrics.Histogram("kubelet_pleg_relist_duration_seconds", "Duration in seconds for relisting pods in PLEG.");
        RunningPods = metrics.Gauge("kubelet_running_pods", "Number of pods that have a running pod sandbox");
        RunningContainers = metrics.Gauge("kubelet_running_containers", "Number of containers currently running", "container_state");
        metrics.Gauge("kubelet_node_name", "The node's name. The count is always 1.", "node").Set(1, nodeName);
    }

    public Counter RuntimeOperations { get; }

    public Counter RuntimeErrors { get; }

    public Histogram RuntimeDuration { get; }

    public Histogram PodStart { get; }

    public Histogram PlegRelist { get; }

    public Gauge RunningPods { get; }

    public Gauge RunningContainers { get; }
}
