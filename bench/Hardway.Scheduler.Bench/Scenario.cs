using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Bench;

/// <summary>Pods of one sort.</summary>
internal sealed record Scenario(string Name, string Spec, bool InSet)
{
    private const string Web = "labelSelector: {matchLabels: {app: web}}";

    public static readonly Scenario[] All =
    [
        new("plain", "", false),
        new("plain, in a set", "", true),
        new("spreading", $"topologySpreadConstraints: [{{maxSkew: 5, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: DoNotSchedule, {Web}}}, {{maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway, {Web}}}]", true),
        new("affinity", $"affinity: {{podAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: [{{topologyKey: topology.kubernetes.io/zone, {Web}}}]}}}}", true),
        new("preferred anti-affinity", $"affinity: {{podAntiAffinity: {{preferredDuringSchedulingIgnoredDuringExecution: [{{weight: 10, podAffinityTerm: {{topologyKey: kubernetes.io/hostname, {Web}}}}}]}}}}", true),
    ];

    public PodInfo Pod(int number) => new(Read<Pod>($$"""
        metadata: {name: p-{{number}}, namespace: default, uid: u-{{number}}, labels: {app: web}, creationTimestamp: "2026-01-01T00:00:00Z"}
        spec:
          schedulerName: default-scheduler
          containers: [{name: c, image: nginx, resources: {requests: {cpu: 10m, memory: 16Mi} } }]
          tolerations: [{key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 300}]
          {{Spec}}
        """));

    public static Node Node(int number) => Read<Node>($$"""
        metadata: {name: node-{{number}}, labels: {kubernetes.io/hostname: node-{{number}}, topology.kubernetes.io/zone: z-{{number % 3}}, kubernetes.io/os: linux, kubernetes.io/arch: amd64} }
        spec: {}
        status: {allocatable: {cpu: "32", memory: 128Gi, pods: "250", ephemeral-storage: 500Gi} }
        """);

    private static T Read<T>(string yaml) where T : ApiStruct, IApiType<T>, new() => ApiJson.Deserialize<T>(YamlJson.ToJson(yaml));
}
