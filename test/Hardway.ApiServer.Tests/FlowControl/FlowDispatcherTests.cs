using Hardway.Api.FlowControl.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.FlowControl;
using Hardway.ApiServer.Http;
using Hardway.Hosting;
using Microsoft.AspNetCore.Http;

namespace Hardway.ApiServer.Tests.FlowControl;

public sealed class FlowDispatcherTests
{
    [Theory]
    [InlineData("admin", "system:masters", "pods", "", "exempt")]
    [InlineData("system:node:n", "system:nodes", "nodes", "", "system-node-high")]
    [InlineData("system:node:n", "system:nodes", "pods", "ns", "system-nodes")]
    [InlineData("system:kube-scheduler", "", "leases", "kube-system", "system-leader-election")]
    [InlineData("system:kube-scheduler", "", "pods", "ns", "kube-scheduler")]
    [InlineData("system:serviceaccount:kube-system:dns", "system:serviceaccounts", "pods", "ns", "kube-system-service-accounts")]
    [InlineData("system:serviceaccount:ns:app", "system:serviceaccounts", "pods", "ns", "service-accounts")]
    [InlineData("jane", "", "pods", "ns", "global-default")]
    public void Requests_belong_to_the_first_flow_schema_that_fits(string user, string group, string resource, string ns, string expected)
    {
        var info = new RequestInfo { Path = "/x", Verb = "get", IsResource = true, Group = resource == "leases" ? "coordination.k8s.io" : "", Resource = resource, Namespace = ns };
        var sender = new UserInfo(user) { Groups = group.Length > 0 ? [group, UserInfo.AuthenticatedGroup] : [UserInfo.AuthenticatedGroup] };
        Assert.Equal(expected, Model().Classify(info, sender).Name);
    }

    [Theory]
    [InlineData("/readyz", "probes")]
    [InlineData("/version", "global-default")]
    public void Paths_too(string path, string expected) =>
        Assert.Equal(expected, Model().Classify(new RequestInfo { Path = path, Verb = "get" }, UserInfo.Anonymous).Name);

    [Fact]
    public async Task Who_waits_too_long_is_told_to_come_again_and_the_numbers_tell()
    {
        var dispatcher = new FlowDispatcher(1, TimeSpan.FromMilliseconds(1), TimeProvider.System);
        dispatcher.Load(
            [new PriorityLevelConfiguration { Metadata = { Name = "l", Uid = "level" }, Spec = new() { Type = "Limited", Limited = new() { NominalConcurrencyShares = 30, LimitResponse = new() { Type = "Queue", Queuing = new() { Queues = 1, HandSize = 1, QueueLengthLimit = 5 } } } } }],
            [new FlowSchema { Metadata = { Name = "f", Uid = "schema" }, Spec = new() { MatchingPrecedence = 3, PriorityLevelConfiguration = new() { Name = "l" }, Rules = [new() { Subjects = [new() { Kind = "User", User = new() { Name = "*" } }], NonResourceRules = [new() { Verbs = ["*"], NonResourceURLs = ["*"] }] }] } }]);
        var first = Request();
        var ticket = await dispatcher.EnterAsync(first, 1);
        Assert.Equal(("schema", "level"), (first.Response.Headers["X-Kubernetes-PF-FlowSchema-UID"].ToString(), first.Response.Headers["X-Kubernetes-PF-PriorityLevel-UID"].ToString()));
        var error = await Assert.ThrowsAsync<ApiException>(async () => await dispatcher.EnterAsync(Request(), 1));
        Assert.Equal((429, 1), (error.Code, error.Status.Details!.RetryAfterSeconds));
        ticket.Dispose();
        (await dispatcher.EnterAsync(Request(), 1)).Dispose();
        var metrics = new Metrics();
        dispatcher.Publish(metrics);
        var text = metrics.Render();
        Assert.Contains("apiserver_flowcontrol_dispatched_requests_total{priority_level=\"l\",flow_schema=\"f\"} 2", text, StringComparison.Ordinal);
        Assert.Contains("apiserver_flowcontrol_rejected_requests_total{priority_level=\"l\",flow_schema=\"f\",reason=\"time-out\"} 1", text, StringComparison.Ordinal);
    }

    private static RequestContext Request() => new(new DefaultHttpContext(), new RequestInfo { Path = "/x", Verb = "get" }, DateTimeOffset.UtcNow) { User = new UserInfo("jane") };

    private static FlowModel Model()
    {
        var level = new PriorityLevel("any", TimeProvider.System);
        return new FlowModel(SuggestedConfiguration.Schemas.Select(s => new CompiledSchema(s, level, "", new FlowCounts(s.Metadata.Name, "any"))));
    }
}
