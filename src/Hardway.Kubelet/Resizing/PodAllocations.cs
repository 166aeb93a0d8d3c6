using System.Collections.Concurrent;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Kubelet.Qos;
using Hardway.Kubelet.Volumes;

namespace Hardway.Kubelet.Resizing;

/// <summary>
/// What each Pod has been given: its resources as last admitted (allocated), and as its running containers really have them (actuated). Both
/// are kept beside the Pod's files, so that a kubelet that is restarted goes on from there, and go away with them. Safe for many
/// threads; one writer a Pod.
/// </summary>
internal sealed class PodAllocations(PodDirectories directories)
{
    private const string AllocatedFile = "allocated.json", ActuatedFile = "actuated.json";
    private readonly ConcurrentDictionary<string, Pod?> _allocated = new(StringComparer.Ordinal), _actuated = new(StringComparer.Ordinal);

    /// <summary>The Pod with the resources that were allocated to it; itself when none are noted, or they are the same.</summary>
    public Pod Apply(Pod pod) => Get(_allocated, pod, AllocatedFile) is { } noted ? With(pod, noted) : pod;

    public bool Has(Pod pod) => Get(_allocated, pod, AllocatedFile) != null;

    public void Allocate(Pod pod) => Put(_allocated, pod, AllocatedFile, Outline(pod));

    /// <summary>A Pod of which nothing was noted: what may run of it already has what it asks for.</summary>
    public void Begin(Pod pod)
    {
        Allocate(pod);
        Put(_actuated, pod, ActuatedFile, Outline(pod));
    }

    /// <summary>What a running container has; null: it was started before anything was noted.</summary>
    public ResourceRequirements? Actuated(Pod pod, string container) => Find(Get(_actuated, pod, ActuatedFile), container)?.Resources;

    /// <summary>A container was started with, or changed to, what is in this Pod.</summary>
    public void Actuate(Pod pod, string container)
    {
        if (Actuated(pod, container) is { } has && SameResources(has, Find(Outline(pod), container)?.Resources))
            return;
        var outline = Get(_actuated, pod, ActuatedFile) is { } before ? (Pod)before.DeepClone() : Outline(pod, []);
        (outline.Spec.Containers ??= []).RemoveAll(c => c.Name == container);
        outline.Spec.Containers.AddRange(Outline(pod).Spec.Containers!.Where(c => c.Name == container));
        Put(_actuated, pod, ActuatedFile, outline);
    }

    public void Forget(string uid)
    {
        _allocated.TryRemove(uid, out _);
        _actuated.TryRemove(uid, out _);
    }

    public static bool SameResources(ResourceRequirements? a, ResourceRequirements? b) => Same(a?.Requests, b?.Requests) && Same(a?.Limits, b?.Limits);

    private static bool Same(Dictionary<string, Quantity>? a, Dictionary<string, Quantity>? b) =>
        (a?.Count ?? 0) == (b?.Count ?? 0) && (a ?? []).All(p => b!.TryGetValue(p.Key, out var other) && other == p.Value);

    private static Pod With(Pod pod, Pod noted)
    {
        var different = PodQos.AllContainers(pod).Where(c => Find(noted, c.Name) is { } n && !SameResources(n.Resources, c.Resources)).Select(c => c.Name).ToHashSet(StringComparer.Ordinal);
        if (different.Count == 0 && SameResources(pod.Spec.Resources, noted.Spec.Resources))
            return pod;
        var copy = (Pod)pod.DeepClone();
        copy.Spec.Resources = noted.Spec.Resources;
        foreach (var container in PodQos.AllContainers(copy).Where(c => different.Contains(c.Name)))
            container.Resources = Find(noted, container.Name)!.Resources;
        return copy;
    }

    private static Container? Find(Pod? outline, string name) => outline?.Spec.Containers?.Find(c => c.Name == name);

    /// <summary>A Pod with nothing but its containers' names and resources; init containers are among the others, for names are unique.</summary>
    private static Pod Outline(Pod pod, List<Container>? containers = null)
    {
        var outline = new Pod { Spec = new PodSpec { Resources = pod.Spec.Resources } };
        outline.Metadata.Uid = pod.Metadata.Uid;
        outline.Spec.Containers = containers ?? [.. PodQos.AllContainers(pod).Select(c => new Container { Name = c.Name, Resources = c.Resources })];
        return outline;
    }

    private Pod? Get(ConcurrentDictionary<string, Pod?> kept, Pod pod, string file) => kept.GetOrAdd(pod.Metadata.Uid, uid =>
    {
        var path = $"{directories.Of(uid)}/{file}";
        try
        {
            return File.Exists(path) ? ApiJson.Deserialize<Pod>(File.ReadAllBytes(path)) : null;
        }
        catch (ApiDecodeException)
        {
            // Half a file of a crash: what the Pod says now is taken.
            return null;
        }
    });

    private void Put(ConcurrentDictionary<string, Pod?> kept, Pod pod, string file, Pod outline)
    {
        kept[pod.Metadata.Uid] = outline;
        var path = $"{directories.Of(pod.Metadata.Uid)}/{file}";
        Directory.CreateDirectory(directories.Of(pod.Metadata.Uid), (UnixFileMode)0x1E8);
        File.WriteAllBytes(path + ".tmp", ApiJson.Serialize(outline));
        File.Move(path + ".tmp", path, true);
    }
}
