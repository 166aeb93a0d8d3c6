using Hardway.Api.Core.V1;
using Hardway.Kubelet.Images;
using Hardway.Kubelet.Qos;

namespace Hardway.Kubelet.Sources;

/// <summary>The defaults that an API server would have filled in, for Pods that come from files.</summary>
internal static class StaticPodDefaults
{
    public static void Apply(Pod pod)
    {
        var spec = pod.Spec;
        spec.RestartPolicy = Or(spec.RestartPolicy, "Always");
        spec.DnsPolicy = Or(spec.DnsPolicy, "ClusterFirst");
        spec.TerminationGracePeriodSeconds ??= 30;
        spec.EnableServiceLinks ??= true;
        spec.Tolerations = [.. spec.Tolerations ?? [], new Toleration { Operator = "Exists", Effect = "NoExecute" }];
        foreach (var container in PodQos.AllContainers(pod))
        {
            container.TerminationMessagePath = Or(container.TerminationMessagePath, "/dev/termination-log");
            container.TerminationMessagePolicy = Or(container.TerminationMessagePolicy, "File");
            container.ImagePullPolicy = Or(container.ImagePullPolicy, ImageName.Normalize(container.Image) is { } image && ImageName.IsLatest(image) ? "Always" : "IfNotPresent");
            foreach (var (name, limit) in container.Resources.Limits ?? [])
                (container.Resources.Requests ??= []).TryAdd(name, limit);
        }
    }

    private static string Or(string value, string otherwise) => value.Length > 0 ? value : otherwise;
}
