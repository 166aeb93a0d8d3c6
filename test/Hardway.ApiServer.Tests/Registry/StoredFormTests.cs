using System.Text;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Protobuf;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Tests.Registry;

/// <summary>What upstream and older servers left in the store is read as if we had written it.</summary>
public sealed class StoredFormTests
{
    private static readonly ResourceScheme s_scheme = new(RuntimeConfig.Default);

    [Fact]
    public void Protobuf_and_json_with_a_line_end_are_read()
    {
        var registry = s_scheme.Of(ConfigMap.TypeSchema);
        var value = new ConfigMap { Metadata = { Name = "a", Namespace = "n" }, Data = new() { ["k"] = "v" } };
        var json = ApiJson.Serialize(value);
        Assert.Equal(json, StoredForm.ToJson(ApiProtobuf.Serialize(value), registry).ToArray());
        Assert.Equal(json, StoredForm.ToJson((byte[])[.. json, (byte)'\n'], registry).ToArray());
    }

    [Fact]
    public void An_object_in_another_version_becomes_one_of_the_storage_version()
    {
        var registry = s_scheme.Find("autoscaling", "v1", "horizontalpodautoscalers")!.Registry;
        var older = """{"kind":"HorizontalPodAutoscaler","apiVersion":"autoscaling/v1","metadata":{"name":"a"},"spec":{"scaleTargetRef":{"kind":"d","name":"d"},"maxReplicas":2,"targetCPUUtilizationPercentage":50},"status":{"currentReplicas":0,"desiredReplicas":0}}"""u8.ToArray();
        var read = Encoding.UTF8.GetString(StoredForm.ToJson(older, registry).Span);
        Assert.StartsWith("""{"kind":"HorizontalPodAutoscaler","apiVersion":"autoscaling/v2",""", read, StringComparison.Ordinal);
        Assert.Contains("\"averageUtilization\":50", read, StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_list_is_none_once_it_is_stored()
    {
        var slice = new Hardway.Api.Discovery.V1.EndpointSlice { Metadata = { Name = "a", Namespace = "n", Finalizers = [] }, AddressType = "IPv4", Endpoints = [], Ports = [] };
        Assert.EndsWith(""" "endpoints":null,"ports":null}""".TrimStart(), Encode(slice), StringComparison.Ordinal);
        var pod = new Pod { Metadata = { Name = "a", Namespace = "n" }, Spec = { Containers = [new Container { Name = "c", Args = [] }], Affinity = new() { NodeAffinity = new() { RequiredDuringSchedulingIgnoredDuringExecution = new() { NodeSelectorTerms = [] } } } } };
        Assert.Contains("\"nodeSelectorTerms\":null", Encode(pod), StringComparison.Ordinal);
        var map = new ConfigMap { Metadata = { Name = "a", Namespace = "n" }, BinaryData = new() { ["k"] = [] } };
        Assert.Contains("""{"k":""}""", Encode(map), StringComparison.Ordinal);
    }

    [Fact]
    public void What_upstream_keeps_as_json_keeps_its_empty_lists()
    {
        var definition = new Hardway.Api.ApiExtensions.V1.CustomResourceDefinition { Metadata = { Name = "a.b" }, Status = { Conditions = [], StoredVersions = [] } };
        Assert.Contains("\"storedVersions\":[]", Encode(definition), StringComparison.Ordinal);
    }

    private static string Encode(KubeObject value) => Encoding.UTF8.GetString(StoredForm.Encode(s_scheme.Of(value.StructSchema), value));

    [Fact]
    public void What_is_neither_json_nor_protobuf_is_refused() =>
        Assert.Throws<ApiDecodeException>(() => StoredForm.ToJson("---"u8.ToArray(), s_scheme.Of(ConfigMap.TypeSchema)));
}
