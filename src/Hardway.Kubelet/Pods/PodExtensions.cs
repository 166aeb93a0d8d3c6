using Hardway.Api.Core.V1;

namespace Hardway.Kubelet.Pods;

/// <summary>Small facts about a Pod, read off its fields.</summary>
internal static class PodExtensions
{
    public const string ConfigSource = "kubernetes.io/config.source", ConfigMirror = "kubernetes.io/config.mirror", ConfigHash = "kubernetes.io/config.hash", ConfigSeen = "kubernetes.io/config.seen";

    public static bool IsSidecar(this Container container) => container.RestartPolicy == "Always";

    public static bool IsTerminating(this Pod pod) => pod.Metadata.DeletionTimestamp != null;

    public static bool IsMirror(this Pod pod) => pod.Metadata.Annotations?.ContainsKey(ConfigMirror) == true;

    /// <summary>A Pod from a file, not from the API.</summary>
    public static bool IsStatic(this Pod pod) => !pod.IsMirror() && pod.Metadata.Annotations is { } a && a.TryGetValue(ConfigSource, out var source) && source != "api";

    public static bool IsFinished(this PodStatus status) => status.Phase is "Succeeded" or "Failed";

    public static string RestartPolicyOrDefault(this Pod pod) => pod.Spec.RestartPolicy.Length > 0 ? pod.Spec.RestartPolicy : "Always";

    public static long GraceSeconds(this Pod pod) => Math.Max(0, pod.Metadata.DeletionGracePeriodSeconds ?? pod.Spec.TerminationGracePeriodSeconds ?? 30);

    public static string FullName(this Pod pod) => $"{pod.Metadata.Name}_{pod.Metadata.Namespace}({pod.Metadata.Uid})";

    public static bool HostNetwork(this Pod pod) => pod.Spec.HostNetwork;
}
