using Hardway.Api.Core.V1;
using Hardway.MetricsServer.Serving;
using Microsoft.AspNetCore.Http;

namespace Hardway.MetricsServer.Tests;

public sealed class FrontProxyTests
{
    [Fact]
    public void A_user_is_read_from_the_headers_that_the_cluster_names()
    {
        var proxy = new FrontProxy(null, [], ["X-Remote-User"], ["X-Remote-Group"], ["X-Remote-Extra-"]);
        var headers = new HeaderDictionary { ["X-Remote-User"] = "jane", ["X-Remote-Group"] = new(["a", "b,system:masters"]), ["X-Remote-Extra-Example.com%2fScope"] = "s" };
        var user = RequestGuard.FromHeaders(headers, proxy)!;
        Assert.Equal("jane", user.Username);
        Assert.Equal(["a", "b,system:masters"], user.Groups!);
        Assert.Equal(["s"], user.Extra!["example.com/scope"]);
        Assert.Null(RequestGuard.FromHeaders(new HeaderDictionary(), proxy));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("no certificate")]
    public void A_configuration_that_is_missing_or_not_understood_trusts_nobody(string? pem)
    {
        var map = new ConfigMap { Data = pem == null ? [] : new() { ["requestheader-client-ca-file"] = pem } };
        Assert.Null(FrontProxy.From(map).Authorities);
        Assert.Null(FrontProxy.From(null).Authorities);
    }
}
