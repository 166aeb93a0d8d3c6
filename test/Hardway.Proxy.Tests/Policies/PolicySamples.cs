using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Networking.V1;
using Hardway.Proxy.Policies;

namespace Hardway.Proxy.Tests.Policies;

/// <summary>The cluster of the policy tests: Pods a and b of node-0 (see NodeNetwork), c elsewhere with the outside client's address, all in namespaces by team.</summary>
internal static class PolicySamples
{
    public static NetworkPolicy Policy(string spec, string name = "p", string @namespace = "default") =>
        ApiJson.Deserialize<NetworkPolicy>(YamlJson.ToJson($"metadata: {{name: {name}, namespace: {@namespace}}}\nspec: {spec}"));

    public static Pod Pod(string name, string labels, string addresses, string @namespace = "default", string node = "node-0", string more = "")
    {
        var ips = string.Join(", ", addresses.Split(' ').Select(a => $"{{ip: '{a}'}}"));
        return ApiJson.Deserialize<Pod>(YamlJson.ToJson($$"""
            metadata: {name: {{name}}, namespace: {{@namespace}}, labels: {{labels}}}
            spec:
              nodeName: {{node}}
              containers: [{name: main, ports: [{name: web, containerPort: 8080}, {name: admin, containerPort: 9090}]}]
              {{more}}
            status: {phase: Running, podIPs: [{{ips}}]}
            """));
    }

    public static PolicyIndex Index(params NetworkPolicy[] policies)
    {
        var index = new PolicyIndex();
        index.SetNamespace("default", new Dictionary<string, string> { ["team"] = "blue" });
        index.SetNamespace("other", new Dictionary<string, string> { ["team"] = "red" });
        Put(index, Pod("a", "{app: a}", "10.200.0.2 fd00:200::2"));
        Put(index, Pod("b", "{app: b}", "10.200.0.3 fd00:200::3"));
        Put(index, Pod("c", "{app: c}", "192.0.2.2 fd00:2::2", "other", "node-1"));
        foreach (var policy in policies)
        {
            Put(index, policy);
        }

        return index;
    }

    public static void Put(PolicyIndex index, Pod pod) => index.SetPod($"{pod.Metadata.Namespace}/{pod.Metadata.Name}", PodFacts.Of(pod, "node-0"));

    public static void Put(PolicyIndex index, NetworkPolicy policy) => index.SetPolicy(policy.Metadata.Namespace, policy.Metadata.Name, PolicyCompiler.Compile(policy));
}
