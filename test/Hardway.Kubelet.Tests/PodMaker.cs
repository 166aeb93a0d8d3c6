using Hardway.Api.Core.V1;
using Hardway.Kubelet.Containers;
using Hardway.Kubelet.Runtime;
using Hardway.Kubelet.Sources;

namespace Hardway.Kubelet.Tests;

/// <summary>Makes Pods from YAML and runtime states from short lines.</summary>
internal static class PodMaker
{
    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static Pod Parse(string spec) => StaticPods.Parse(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: ns}\nspec:\n" + string.Concat(spec.Split('\n').Select(l => "  " + l + "\n")), "p.yaml", "n", Start);

    /// <summary>A ready sandbox "s" and containers in the order of their making: (name, "running" or an exit code, attempt).</summary>
    public static RuntimePod Runtime(Pod pod, params (string Name, string State, uint Attempt)[] containers) => new(
        pod.Metadata.Uid,
        [new RuntimeSandbox("s", 0, true, false, Start, ["10.0.0.1"])],
        [.. containers.Select((c, i) => Container(pod, c.Name, c.State, c.Attempt, i)).Reverse()]);

    private static RuntimeContainer Container(Pod pod, string name, string state, uint attempt, int order)
    {
        var spec = Kubelet.Qos.PodQos.AllContainers(pod).First(c => c.Name == name);
        var at = Start.AddSeconds(order);
        var exited = int.TryParse(state, out var code);
        return new RuntimeContainer(
            $"{name}-{attempt}", "s", name, attempt, exited ? Cri.ContainerState.ContainerExited : state == "created" ? Cri.ContainerState.ContainerCreated : Cri.ContainerState.ContainerRunning,
            at, at, exited ? at.AddSeconds(1) : null, code, spec.Image, "sha256:1", "", "", ContainerStarter.Hash(spec), "", "");
    }
}
