using Hardway.Api.Core.V1;
using Hardway.Kubelet.Pods;

namespace Hardway.Kubelet.Server;

/// <summary>A Pod and one of its containers as a request's path names them: /what/NAMESPACE/POD[/UID]/CONTAINER.</summary>
internal sealed record PodPath(Pod Pod, string Container)
{
    public static PodPath? Parse(string path, PodWorkers workers)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length is not (4 or 5) || workers.Find(parts[1], parts[2]) is not { } pod)
            return null;
        return parts.Length == 5 && pod.Metadata.Uid != parts[3] ? null : new PodPath(pod, parts[^1]);
    }

    public static Pod? ParsePod(string path, PodWorkers workers)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return parts.Length is 3 or 4 ? workers.Find(parts[1], parts[2]) : null;
    }
}
