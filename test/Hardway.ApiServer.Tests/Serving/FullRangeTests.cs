using Hardway.ApiServer.Serving;

namespace Hardway.ApiServer.Tests.Serving;

/// <summary>Services on a server whose own range has room for two addresses.</summary>
public sealed class FullRangeTests(FullRangeTests.Server server) : IClassFixture<FullRangeTests.Server>
{
    private const string Services = "/api/v1/namespaces/default/services";
    private const string Ranges = "/apis/networking.k8s.io/v1/servicecidrs";

    public sealed class Server : RunningServer
    {
        private protected override void Configure(ApiServerOptions options) => options.ServiceClusterIpRange = "10.32.0.0/30";
    }

    [Fact]
    public async Task What_the_flags_range_has_no_room_for_comes_from_another()
    {
        Assert.Equal((201, "10.32.0.2"), await CreateAsync("second"));
        Assert.Equal(500, (await CreateAsync("third")).Code);
        await server.SendAsync("POST", Ranges, """{"metadata":{"name":"more"},"spec":{"cidrs":["10.40.0.0/30"]}}""");
        await server.SendAsync("PATCH", Ranges + "/more/status", """{"status":{"conditions":[{"type":"Ready","status":"True","reason":"","message":"","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}""", "application/merge-patch+json");
        await server.SendAsync("GET", Ranges + "/more");
        var (code, address) = await CreateAsync("third");
        Assert.Equal(201, code);
        Assert.StartsWith("10.40.0.", address, StringComparison.Ordinal);
    }

    private async Task<(int Code, string? Address)> CreateAsync(string name)
    {
        var (code, made) = await server.SendAsync("POST", Services, $$$"""{"metadata":{"name":"{{{name}}}"},"spec":{"ports":[{"port":80}]}}""");
        return (code, RunningServer.At(made, "spec", "clusterIP") as string);
    }
}
