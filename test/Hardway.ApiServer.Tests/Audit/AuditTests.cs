using System.Text.Json;
using Hardway.ApiServer.Audit;
using Hardway.ApiServer.Http;
using Hardway.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hardway.ApiServer.Tests.Audit;

public sealed class AuditTests : IDisposable
{
    private const string Policy = """
        apiVersion: audit.k8s.io/v1
        kind: Policy
        omitStages: [RequestReceived]
        rules:
        - level: None
          users: ["system:kube-proxy"]
          verbs: ["watch"]
        - level: Request
          resources: [{group: "", resources: ["pods", "pods/status"]}]
          namespaces: ["ns"]
        - level: None
          nonResourceURLs: ["/healthz*"]
        - level: Metadata
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("audit").FullName;

    [Theory]
    [InlineData("jane", "pods", "", "ns", AuditLevel.Request)]
    [InlineData("jane", "pods", "status", "ns", AuditLevel.Request)]
    [InlineData("jane", "pods", "log", "ns", AuditLevel.Metadata)]
    [InlineData("jane", "pods", "", "other", AuditLevel.Metadata)]
    [InlineData("system:kube-proxy", "services", "", "", AuditLevel.None)]
    public void The_first_rule_that_fits_decides(string user, string resource, string subresource, string ns, object level)
    {
        var info = new RequestInfo { Path = "/x", Verb = "watch", IsResource = true, Resource = resource, Subresource = subresource, Namespace = ns };

        Assert.Equal(level, AuditPolicy.Parse("f", Policy).Decide(info, new UserInfo(user)).Level);
    }

    [Theory]
    [InlineData("rules: [{level: Frob}]", "rules[0].level")]
    [InlineData("rules: []", "at least one rule")]
    [InlineData("rules: [{level: None, frob: 1}]", "frob")]
    [InlineData("rules: [{level: None, omitStages: [X]}]", "omitStages")]
    public void A_wrong_policy_says_where(string rules, string where) =>
        Assert.Contains(where, Assert.Throws<InvalidDataException>(() => AuditPolicy.Parse("f", "apiVersion: audit.k8s.io/v1\nkind: Policy\n" + rules)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Events_are_lines_and_files_are_begun_anew()
    {
        var clock = new Clock();
        File.WriteAllText(Path.Combine(_folder, "policy.yaml"), Policy);
        var options = new AuditOptions();
        var flags = new FlagSet("t", "t");
        options.AddFlags(flags);
        Assert.True(flags.TryParse([$"--audit-log-path={_folder}/audit.log", $"--audit-policy-file={_folder}/policy.yaml", "--audit-log-maxsize=1", "--audit-log-maxbackup=2"], TextWriter.Null, TextWriter.Null, out _));
        var log = new AuditLog(options, clock, NullLogger.Instance);
        var line = new byte[300_000];
        for (var i = 0; i < 16; i++)
        {
            log.Write(line);
        }

        await log.DisposeAsync();
        Assert.True(Directory.GetFiles(_folder, "audit*").Length <= 3);

        File.Delete(Path.Combine(_folder, "audit.log"));
        var auditor = new Auditor(options, clock, NullLogger.Instance);
        var context = new RequestContext(new DefaultHttpContext(), new RequestInfo { Path = "/api/v1/namespaces/ns/pods/p", Verb = "delete", IsResource = true, Resource = "pods", Version = "v1", Namespace = "ns", Name = "p" }, clock.Now) { User = new UserInfo("jane"), AuditId = "id" };
        auditor.Begin(context)!.Completed(Hardway.ApiServer.Errors.Statuses.NotFound("", "pods", "p"));
        await auditor.DisposeAsync();

        using var json = JsonDocument.Parse(Assert.Single(File.ReadAllLines(Path.Combine(_folder, "audit.log"))));
        Assert.Equal("ResponseComplete", json.RootElement.GetProperty("stage").GetString());
        Assert.Equal("jane", json.RootElement.GetProperty("user").GetProperty("username").GetString());
        Assert.Equal("p", json.RootElement.GetProperty("objectRef").GetProperty("name").GetString());
        Assert.Equal(404, json.RootElement.GetProperty("responseStatus").GetProperty("code").GetInt32());
    }

    [Fact]
    public void The_legacy_format_is_one_line_of_names_and_values()
    {
        var line = System.Text.Encoding.UTF8.GetString(LegacyFormat.Of("""{"auditID":"1","stage":"ResponseComplete","verb":"get","user":{"username":"jane","groups":["a","b"]},"sourceIPs":["10.0.0.1"],"requestURI":"/x?y=\"z\"","requestReceivedTimestamp":"2026-01-01T00:00:00.000000Z","responseStatus":{"code":200}}"""u8.ToArray()).Span);
        Assert.Equal("2026-01-01T00:00:00.000000Z AUDIT: id=\"1\" stage=\"ResponseComplete\" ip=\"10.0.0.1\" method=\"get\" user=\"jane\" groups=\"\\\"a\\\",\\\"b\\\"\" as=\"<self>\" asgroups=\"<lookup>\" user-agent=\"\" namespace=\"<none>\" uri=\"/x?y=\\\"z\\\"\" response=\"200\"\n", line);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
