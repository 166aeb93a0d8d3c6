using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Hardway.Proxy.Policies;

namespace Hardway.Proxy.Tests.Policies;

public sealed class CniResultsTests : IDisposable
{
    private const string File1 = """
        {"kind":"cniCacheV1","containerId":"abc","config":"e30=","ifName":"eth0","networkName":"bridge",
         "cniArgs":[["IgnoreUnknown","1"],["K8S_POD_NAMESPACE","default"],["K8S_POD_NAME","web"],["K8S_POD_INFRA_CONTAINER_ID","abc"]],
         "result":{"cniVersion":"1.0.0","ips":[{"address":"10.200.0.5/24","gateway":"10.200.0.1"},{"address":"fd00:200::5/64"}]}}
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("cni").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_file_of_the_runtime_tells_the_Pod_and_its_addresses()
    {
        var (pod, addresses) = CniResults.Read(Encoding.UTF8.GetBytes(File1))!.Value;

        Assert.Equal("default/web", pod);
        Assert.Equal([IPAddress.Parse("10.200.0.5"), IPAddress.Parse("fd00:200::5")], addresses);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"ifName\":\"eth0\",\"cniArgs\":[[]],\"result\":{\"ips\":[]}}")]
    [InlineData("{\"ifName\":\"net1\",\"cniArgs\":[],\"result\":{}}")]
    [InlineData("{\"ifName\":\"eth0\",\"cniArgs\":[[\"K8S_POD_NAME\",\"x\"]],\"result\":{\"ips\":[{\"address\":\"10.0.0.1/8\"}]}}")]
    public void What_is_half_written_or_something_else_is_nothing(string text) => Assert.Null(CniResults.Read(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void Files_are_noticed_when_they_come_and_go()
    {
        var told = new ConcurrentQueue<string>();
        File.WriteAllText(Path.Combine(_folder, "bridge-old-eth0"), File1.Replace("\"web\"", "\"old\"", StringComparison.Ordinal));
        using var results = new CniResults(_folder, told.Enqueue);
        Assert.Equal(IPAddress.Parse("10.200.0.5"), results.AddressesOf("default/old")[0]);

        var file = Path.Combine(_folder, "bridge-abc-eth0");
        File.WriteAllText(file, File1);
        Assert.True(SpinWait.SpinUntil(() => results.AddressesOf("default/web").Count == 2, TimeSpan.FromSeconds(5)), "the new file is seen");
        File.Delete(file);
        Assert.True(SpinWait.SpinUntil(() => results.AddressesOf("default/web").Count == 0, TimeSpan.FromSeconds(5)), "its end is seen");
        Assert.Contains("default/web", told);
    }

    [Fact]
    public void A_local_Pod_without_a_status_is_isolated_by_what_the_runtime_knows()
    {
        var pod = PolicySamples.Pod("web", "{app: a}", "10.200.0.5");
        pod.Status.PodIPs = null;

        Assert.Equal(["10.200.0.9"], PodFacts.Of(pod, "node-0", _ => [IPAddress.Parse("10.200.0.9")])!.Addresses.Select(a => a.ToString()));
        Assert.Empty(PodFacts.Of(pod, "node-1", _ => [IPAddress.Parse("10.200.0.9")])!.Addresses);
    }
}
