using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Kubelet.Configuration;
using Hardway.Kubelet.Images;
using Hardway.Kubelet.Server;
using Hardway.Kubelet.Sources;

namespace Hardway.Kubelet.Tests.Sources;

public sealed class SourcesTests
{
    [Fact]
    public void The_tutorials_configuration_is_read_as_it_is()
    {
        const string yaml =
            """
            kind: KubeletConfiguration
            apiVersion: kubelet.config.k8s.io/v1beta1
            address: "0.0.0.0"
            authentication:
              anonymous:
                enabled: false
              webhook:
                enabled: true
              x509:
                clientCAFile: "/var/lib/kubelet/ca.crt"
            authorization:
              mode: Webhook
            cgroupDriver: systemd
            containerRuntimeEndpoint: "unix:///var/run/containerd/containerd.sock"
            enableServer: true
            failSwapOn: false
            maxPods: 16
            memorySwap:
              swapBehavior: NoSwap
            port: 10250
            resolvConf: "/etc/resolv.conf"
            registerNode: true
            runtimeRequestTimeout: "15m"
            tlsCertFile: "/var/lib/kubelet/kubelet.crt"
            tlsPrivateKeyFile: "/var/lib/kubelet/kubelet.key"
            clusterDNS:
            - 10.32.0.10
            clusterDomain: cluster.local
            """;
        var config = KubeletConfigReader.Read(YamlJson.ToJson(yaml), "kubelet-config.yaml");
        Assert.True(config is { SystemdCgroups: true, MaxPods: 16, FailSwapOn: false, SwapBehavior: "NoSwap", ClusterDomain: "cluster.local" });
        Assert.Equal(["10.32.0.10"], config.ClusterDns);
        Assert.Equal(TimeSpan.FromMinutes(15), config.RuntimeRequestTimeout);
        Assert.Empty(config.Ignored);
    }

    [Fact]
    public void A_static_pod_is_named_after_its_node_and_its_content()
    {
        var one = PodMaker.Parse("containers:\n- {name: a, image: x}");
        var two = PodMaker.Parse("containers:\n- {name: a, image: z}");
        Assert.Equal(("p-n", "n", "Always"), (one.Metadata.Name, one.Spec.NodeName, one.Spec.RestartPolicy));
        Assert.NotEqual(one.Metadata.Uid, two.Metadata.Uid);
    }

    [Fact]
    public void Services_become_variables()
    {
        var service = ApiJson.Deserialize<Service>("{\"metadata\":{\"name\":\"my-db\",\"namespace\":\"ns\"},\"spec\":{\"clusterIP\":\"10.32.0.7\",\"ports\":[{\"name\":\"sql\",\"port\":5432,\"protocol\":\"TCP\"}]}}"u8);
        var variables = ServiceVariables.For("ns", true, [service]);
        Assert.Equal("10.32.0.7", variables["MY_DB_SERVICE_HOST"]);
        Assert.Equal("5432", variables["MY_DB_SERVICE_PORT_SQL"]);
        Assert.Equal("tcp://10.32.0.7:5432", variables["MY_DB_PORT_5432_TCP"]);
        Assert.Empty(ServiceVariables.For("ns", false, [service]));
    }

    [Fact]
    public void Fields_of_the_pod_are_told()
    {
        var pod = PodMaker.Parse("containers:\n- {name: a, image: x, resources: {limits: {cpu: 1500m}}}");
        pod.Metadata.Labels = new() { ["b"] = "2", ["a"] = "1\"x" };
        Assert.Equal("a=\"1\\\"x\"\nb=\"2\"\n", DownwardFields.Field(pod, "metadata.labels", [], ["1.2.3.4"]));
        Assert.Equal("2", DownwardFields.Field(pod, "metadata.labels['b']", [], ["1.2.3.4"]));
        Assert.Equal("2", DownwardFields.Resource(pod, "a", new ResourceFieldSelector { Resource = "limits.cpu" }, new Dictionary<string, Quantity>()));
        Assert.Equal("1500", DownwardFields.Resource(pod, "a", new ResourceFieldSelector { Resource = "limits.cpu", Divisor = Quantity.Parse("1m") }, new Dictionary<string, Quantity>()));
        Assert.Throws<FormatException>(() => DownwardFields.Field(pod, "spec.containers", [], ["1.2.3.4"]));
    }

    [Theory]
    [InlineData("busybox", "busybox:latest", "docker.io")]
    [InlineData("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10", "registry.k8s.io")]
    [InlineData("localhost:5000/a/b", "localhost:5000/a/b:latest", "localhost:5000")]
    public void Image_names_are_completed(string image, string normalized, string registry)
    {
        Assert.Equal(normalized, ImageName.Normalize(image));
        Assert.Equal(registry, ImageName.Registry(image));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("/x")]
    [InlineData("a:b:c:")]
    public void What_is_no_image_name_is_refused(string image) => Assert.Null(ImageName.Normalize(image));

    [Theory]
    [InlineData("/metrics/resource", "metrics")]
    [InlineData("/stats/summary", "stats")]
    [InlineData("/exec/a/b/c", "proxy")]
    [InlineData("/pods", "pods,proxy")]
    public void A_path_is_guarded_by_its_subresource(string path, string expected) => Assert.Equal(expected, string.Join(',', RequestAuthorizer.Subresources(path)));
}
