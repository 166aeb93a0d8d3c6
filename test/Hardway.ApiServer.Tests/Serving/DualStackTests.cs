using Hardway.ApiServer.Serving;

namespace Hardway.ApiServer.Tests.Serving;

/// <summary>Services on a server with a range of each IP family, IPv4 first.</summary>
public sealed class DualStackTests(DualStackTests.Server server) : IClassFixture<DualStackTests.Server>
{
    private const string Services = "/api/v1/namespaces/default/services";
    private const string MergePatch = "application/merge-patch+json";

    public sealed class Server : RunningServer
    {
        private protected override void Configure(ApiServerOptions options) => options.ServiceClusterIpRange = "10.32.0.0/24,fd00:10:32::/112";
    }

    [Theory]
    [InlineData("one", "{}", "SingleStack", "IPv4")]
    [InlineData("six", """{"ipFamilies":["IPv6"]}""", "SingleStack", "IPv6")]
    [InlineData("prefers", """{"ipFamilyPolicy":"PreferDualStack"}""", "PreferDualStack", "IPv4,IPv6")]
    [InlineData("reversed", """{"ipFamilyPolicy":"RequireDualStack","ipFamilies":["IPv6"]}""", "RequireDualStack", "IPv6,IPv4")]
    [InlineData("asked", """{"ipFamilyPolicy":"RequireDualStack","clusterIPs":["fd00:10:32::9"],"clusterIP":"fd00:10:32::9"}""", "RequireDualStack", "IPv6,IPv4")]
    [InlineData("none", """{"clusterIP":"None","ipFamilyPolicy":"PreferDualStack","selector":{"a":"b"}}""", "PreferDualStack", "IPv4,IPv6")]
    public async Task A_new_service_has_an_address_of_each_family_that_it_asks_for(string name, string spec, string policy, string families)
    {
        var made = await CreateAsync(name, spec);
        Assert.Equal(policy, RunningServer.At(made, "spec", "ipFamilyPolicy"));
        Assert.Equal(families, Join(made, "ipFamilies"));
        if (name == "none")
        {
            Assert.Equal("None", Join(made, "clusterIPs"));
            return;
        }

        var addresses = Join(made, "clusterIPs").Split(',');
        Assert.Equal(families, string.Join(',', addresses.Select(a => a.StartsWith("fd00:10:32::", StringComparison.Ordinal) ? "IPv6" : a.StartsWith("10.32.0.", StringComparison.Ordinal) ? "IPv4" : a)));
        Assert.Equal(addresses[0], RunningServer.At(made, "spec", "clusterIP"));
        foreach (var address in addresses) Assert.Equal(200, (await server.SendAsync("GET", $"/apis/networking.k8s.io/v1/ipaddresses/{Uri.EscapeDataString(address)}")).Code);
    }

    [Fact]
    public async Task A_service_gets_a_second_family_and_gives_it_up_again()
    {
        var made = await CreateAsync("grows", "{}");
        var first = Join(made, "clusterIPs");
        var (_, grown) = await server.SendAsync("PATCH", Services + "/grows", """{"spec":{"ipFamilyPolicy":"PreferDualStack"}}""", MergePatch);
        var both = Join(grown, "clusterIPs").Split(',');
        Assert.Equal((first, "IPv4,IPv6", 2), (both[0], Join(grown, "ipFamilies"), both.Length));

        // Whoever knows only the old fields changes nothing about it.
        var (code, kept) = await server.SendAsync("PUT", Services + "/grows", """{"metadata":{"name":"grows","labels":{"a":"b"}},"spec":{"ports":[{"port":80}]}}""");
        Assert.Equal((200, string.Join(',', both)), (code, Join(kept, "clusterIPs")));

        var (_, single) = await server.SendAsync("PATCH", Services + "/grows", """{"spec":{"ipFamilyPolicy":"SingleStack"}}""", MergePatch);
        Assert.Equal((first, "IPv4"), (Join(single, "clusterIPs"), Join(single, "ipFamilies")));
        Assert.Equal(404, (await server.SendAsync("GET", $"/apis/networking.k8s.io/v1/ipaddresses/{Uri.EscapeDataString(both[1])}")).Code);
    }

    [Theory]
    [InlineData("""{"clusterIPs":["10.32.0.20","10.32.0.21"],"clusterIP":"10.32.0.20","ipFamilyPolicy":"RequireDualStack"}""", "spec.clusterIPs")]
    [InlineData("""{"clusterIPs":["10.32.0.20","fd00:10:32::20"],"clusterIP":"10.32.0.20"}""", "spec.ipFamilyPolicy")]
    [InlineData("""{"ipFamilyPolicy":"RequireDualStack","clusterIPs":["10.32.0.20","fd00:99::1"],"clusterIP":"10.32.0.20"}""", "spec.clusterIPs")]
    [InlineData("""{"ipFamilies":["IPv4","IPv6"]}""", "spec.ipFamilyPolicy")]
    public async Task Addresses_and_families_that_do_not_fit_are_refused(string spec, string field)
    {
        var (code, status) = await server.SendAsync("POST", Services, Body("bad", spec));
        Assert.Equal((422, field), (code, RunningServer.At(status, "details", "causes", "0", "field")));
        // What was taken on the way is free again.
        Assert.Equal(404, (await server.SendAsync("GET", "/apis/networking.k8s.io/v1/ipaddresses/10.32.0.20")).Code);
    }

    [Fact]
    public async Task A_second_address_cannot_be_exchanged()
    {
        var both = Join(await CreateAsync("fixed", """{"ipFamilyPolicy":"RequireDualStack"}"""), "clusterIPs").Split(',');
        var (code, status) = await server.SendAsync("PATCH", Services + "/fixed", $$$"""{"spec":{"clusterIPs":["{{{both[0]}}}","fd00:10:32::abcd"]}}""", MergePatch);
        Assert.Equal((422, "spec.clusterIPs[1]"), (code, RunningServer.At(status, "details", "causes", "0", "field")));
    }

    [Fact]
    public async Task The_ranges_are_in_the_cluster_s_ServiceCIDR()
    {
        var (_, ranges) = await server.SendAsync("GET", "/apis/networking.k8s.io/v1/servicecidrs/kubernetes");
        Assert.Equal("10.32.0.0/24,fd00:10:32::/112", Join(ranges, "cidrs"));
    }

    [Fact]
    public async Task A_ServiceCIDR_that_is_ready_adds_addresses()
    {
        const string Ranges = "/apis/networking.k8s.io/v1/servicecidrs";
        const string Spec = """{"clusterIP":"10.40.0.9"}""";
        Assert.Equal(201, (await server.SendAsync("POST", Ranges, """{"metadata":{"name":"more"},"spec":{"cidrs":["10.40.0.0/28"]}}""")).Code);
        Assert.Equal(422, (await server.SendAsync("POST", Services, Body("early", Spec))).Code);
        Assert.Equal(200, (await server.SendAsync("PATCH", Ranges + "/more/status", """{"status":{"conditions":[{"type":"Ready","status":"True","reason":"","message":"","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}""", MergePatch)).Code);
        await server.SendAsync("GET", Ranges + "/more");
        await CreateAsync("late", Spec);
        var (code, status) = await server.SendAsync("POST", Services, Body("again", Spec));
        Assert.Equal((422, "spec.clusterIPs"), (code, RunningServer.At(status, "details", "causes", "0", "field")));
        await server.SendAsync("DELETE", Ranges + "/more");
    }

    [Theory]
    [InlineData("10.32.0.0/24,10.33.0.0/24")]
    [InlineData("10.32.0.0/24,fd00::/112,fd01::/112")]
    [InlineData("10.32.0.0")]
    public void Ranges_that_cannot_be_are_told(string text) => Assert.Contains(new ApiServerOptions { ServiceClusterIpRange = text }.Problems(), p => p.StartsWith("--service-cluster-ip-range=", StringComparison.Ordinal));

    private async Task<Dictionary<string, object?>> CreateAsync(string name, string spec)
    {
        var (code, made) = await server.SendAsync("POST", Services, Body(name, spec));
        Assert.True(code == 201, RunningServer.At(made, "message")?.ToString());
        return made;
    }

    private static string Body(string name, string spec) => $$$"""{"metadata":{"name":"{{{name}}}"},"spec":{"ports":[{"port":80}]{{{(spec == "{}" ? "" : ",")}}}{{{spec[1..]}}}}""";

    private static string Join(object? service, string field) => string.Join(',', ((List<object?>?)RunningServer.At(service, "spec", field) ?? []).Select(v => v?.ToString()));
}
