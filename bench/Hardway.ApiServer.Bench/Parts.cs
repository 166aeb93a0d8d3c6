using System.Text;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Protobuf;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Bench;

/// <summary>What the steps of a write cost by themselves, for a small ConfigMap and for a Pod.</summary>
internal static class Parts
{
    private const string SmallObject = """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"default","labels":{"app":"bench"}},"data":{"text":"TEXT"}}""";

    private const string LargeObject = """
        {"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"default","labels":{"app":"web","tier":"front"},"annotations":{"a":"b"}},"spec":{"volumes":[{"name":"v","configMap":{"name":"c"}}],
        "containers":[{"name":"c","image":"nginx","args":["a","b"],"ports":[{"containerPort":80,"protocol":"TCP"}],"env":[{"name":"A","value":"1"},{"name":"B","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}],
        "resources":{"requests":{"cpu":"100m","memory":"64Mi"},"limits":{"memory":"128Mi"}},"volumeMounts":[{"name":"v","mountPath":"/v"}],"readinessProbe":{"httpGet":{"path":"/","port":80},"periodSeconds":5},
        "imagePullPolicy":"IfNotPresent","securityContext":{"runAsNonRoot":true}}],"restartPolicy":"Always","serviceAccountName":"default","tolerations":[{"key":"k","operator":"Exists","effect":"NoExecute"}]}}
        """;

    public static void Run()
    {
        var scheme = new ResourceScheme(RuntimeConfig.Default);
        Run("small", scheme.Find("", "v1", "configmaps")!, SmallObject.Replace("TEXT", new string('x', 700), StringComparison.Ordinal));
        Run("pod", scheme.Find("", "v1", "pods")!, LargeObject);
    }

    private static void Run(string name, ServedResource resource, string text)
    {
        var json = Encoding.UTF8.GetBytes(text);
        var type = resource.Info.Type;
        var ownership = new FieldOwnership(TimeProvider.System);
        var value = (KubeObject)ApiJson.Deserialize(type, json);
        var stored = (KubeObject)value.DeepClone();
        ownership.Update(resource, null, stored, "bench", "");
        var changed = (KubeObject)stored.DeepClone();
        changed.Metadata.Labels!["n"] = "1";
        Measure(name, "decode", () => ApiJson.Deserialize(type, json, new DecodeReport()));
        Measure(name, "encode", () => ApiJson.Serialize(stored));
        Measure(name, "clone", () => stored.DeepClone());
        Measure(name, "defaults", () => SchemaDefaults.Apply(stored));
        Measure(name, "to tree", () => ApiJson.ToTree(stored));
        Measure(name, "from tree", () => ApiJson.FromTree(type, ApiJson.ToTree(stored)));
        Measure(name, "ownership create", () => ownership.Update(resource, null, (KubeObject)value.DeepClone(), "bench", ""));
        Measure(name, "ownership update", () => ownership.Update(resource, stored, (KubeObject)changed.DeepClone(), "bench", ""));
        var bytes = ApiJson.Serialize(stored);
        Measure(name, "cache entry", () => ObjectDecoder.Make(resource.Registry, "/registry/x", bytes, 123456));
        Measure(name, "protobuf", () => ApiProtobuf.SerializeMessage(stored));
    }

    private static void Measure(string name, string what, Action action)
    {
        for (var i = 0; i < 2000; i++)
        {
            action();
        }

        const int Times = 20_000;
        var before = GC.GetAllocatedBytesForCurrentThread();
        var start = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < Times; i++)
        {
            action();
        }

        var micro = TimeProvider.System.GetElapsedTime(start).TotalMicroseconds / Times;
        Console.WriteLine($"{name,-6} {what,-18} {micro,8:N1} µs {(GC.GetAllocatedBytesForCurrentThread() - before) / Times,8:N0} bytes");
    }
}
