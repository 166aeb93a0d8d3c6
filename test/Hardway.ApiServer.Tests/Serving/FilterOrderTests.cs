using Hardway.ApiServer.Serving;
using Hardway.Hosting;

namespace Hardway.ApiServer.Tests.Serving;

/// <summary>In which order a request passes the filters, seen on a server that allows nothing.</summary>
public sealed class FilterOrderTests(FilterOrderTests.Server server) : IClassFixture<FilterOrderTests.Server>
{
    public sealed class Server : RunningServer
    {
        private protected override void Configure(ApiServerOptions options)
        {
            var flags = new FlagSet("test", "");
            options.Authorization.AddFlags(flags);
            Assert.True(flags.TryParse(["--authorization-mode=AlwaysDeny"], TextWriter.Null, TextWriter.Null, out _));
        }
    }

    [Fact]
    public async Task A_refused_request_has_waited_in_its_priority_level()
    {
        using var answer = await server.Client.GetAsync("/api/v1/namespaces/default/configmaps", TestContext.Current.CancellationToken);
        Assert.Equal(403, (int)answer.StatusCode);
        Assert.NotEmpty(answer.Headers.GetValues("X-Kubernetes-PF-FlowSchema-UID").Single());
    }
}
