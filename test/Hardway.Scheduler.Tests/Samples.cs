using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Tests;

/// <summary>Objects written as YAML, as a user would.</summary>
internal static class Samples
{
    public static Node Node(string name, string cpu = "4", string memory = "8Gi", string more = "") => Read<Node>($$"""
        metadata: {name: {{name}}, labels: {kubernetes.io/hostname: {{name}}, topology.kubernetes.io/zone: z-{{name}} } }
        spec: {{(more.Length == 0 ? "{}" : more)}}
        status: {allocatable: {cpu: "{{cpu}}", memory: {{memory}}, pods: "110"} }
        """);

    public static PodInfo Pod(string name, string spec = "{}", string labels = "{app: web}", string cpu = "100m", string? node = null)
    {
        var pod = Read<Pod>($"metadata: {{name: '{name}', namespace: default, uid: uid-{name}, labels: {labels}}}\nspec: {spec}");
        pod.Spec.SchedulerName = "default-scheduler";
        if (pod.Spec.Containers is null)
        {
            var container = new Container { Name = "c", Image = "nginx" };
            container.Resources.Requests = new() { ["cpu"] = Quantity.Parse(cpu), ["memory"] = Quantity.Parse("64Mi") };
            pod.Spec.Containers = [container];
        }

        return node is null ? new PodInfo(pod) : new PodInfo(pod).On(node);
    }

    public static T Read<T>(string yaml) where T : ApiStruct, IApiType<T>, new() => ApiJson.Deserialize<T>(YamlJson.ToJson(yaml));
}
