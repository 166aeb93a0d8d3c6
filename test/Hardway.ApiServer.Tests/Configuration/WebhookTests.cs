using System.Text.Json;
using Hardway.ApiServer.Audit;
using Hardway.ApiServer.Authentication;
using Hardway.ApiServer.Authorization;
using Hardway.ApiServer.Authorization.Webhook;
using Hardway.ApiServer.Configuration;
using Hardway.ApiServer.Http;
using Hardway.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hardway.ApiServer.Tests.Configuration;

/// <summary>Other servers that this one asks, over real HTTPS.</summary>
public sealed class WebhookTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("webhooks").FullName;
    private readonly List<JsonElement> _asked = [];
    private readonly TaskCompletionSource _full = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Clock _clock = new();
    private HttpsServer _server = null!;
    private string _answer = "{}";
    private int _code = 200;
    private int _wanted = int.MaxValue;

    public async ValueTask InitializeAsync() => _server = await HttpsServer.StartAsync(AnswerAsync);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_token_webhook_names_the_user_and_is_asked_once_a_while()
    {
        _answer = """{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","status":{"authenticated":true,"user":{"username":"jane","groups":["dev"]}}}""";
        var tokens = new WebhookTokenAuthenticator(WebhookConnection.Read(_server.WriteKubeconfig(_folder)), TimeSpan.FromMinutes(2), _clock);
        for (var i = 0; i < 3; i++)
        {
            var result = await tokens.AuthenticateTokenAsync("t", ["api"], TestContext.Current.CancellationToken);
            Assert.Equal(("jane", "dev"), (result.User!.Name, result.User.Groups.Single()));
        }

        Assert.Equal("t", Assert.Single(_asked).GetProperty("spec").GetProperty("token").GetString());
        _clock.Now += TimeSpan.FromMinutes(3);
        _answer = """{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","status":{"error":"unknown token"}}""";
        Assert.Equal("unknown token", (await tokens.AuthenticateTokenAsync("t", ["api"], TestContext.Current.CancellationToken)).Error);
    }

    [Fact]
    public async Task An_authorization_webhook_is_asked_where_its_conditions_hold()
    {
        _answer = """{"apiVersion":"authorization.k8s.io/v1","kind":"SubjectAccessReview","status":{"allowed":true,"reason":"because"}}""";
        var authorizer = Authorizer("NoOpinion");
        Assert.Equal(Decision.NoOpinion, (await AskAsync(authorizer, "other")).Decision);
        Assert.Empty(_asked);
        Assert.Equal(AuthorizationResult.Allow("because"), await AskAsync(authorizer, "ns"));
        Assert.Equal(AuthorizationResult.Allow("because"), await AskAsync(authorizer, "ns"));
        Assert.Equal("pods", Assert.Single(_asked).GetProperty("spec").GetProperty("resourceAttributes").GetProperty("resource").GetString());
    }

    [Theory]
    [InlineData("Deny", (int)Decision.Deny)]
    [InlineData("NoOpinion", (int)Decision.NoOpinion)]
    public async Task No_answer_means_what_the_failure_policy_says(string policy, int expected)
    {
        _code = 500;
        Assert.Equal((Decision)expected, (await AskAsync(Authorizer(policy), "ns")).Decision);
    }

    [Theory]
    [InlineData("authorizers: [{type: Frob, name: x}]", "Frob")]
    [InlineData("authorizers: []", "must have one")]
    [InlineData("authorizers: [{type: RBAC, name: a}, {type: RBAC, name: b}]", "twice")]
    [InlineData("authorizers: [{type: Webhook, name: w, webhook: {subjectAccessReviewVersion: v1, failurePolicy: Maybe}}]", "failurePolicy")]
    public void A_wrong_configuration_says_where(string rest, string where) =>
        Assert.Contains(where, Assert.Throws<ComponentException>(() => AuthorizationConfig.Parse("f", "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthorizationConfiguration\n" + rest)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Audit_events_are_sent_in_lists_and_what_is_not_taken_is_lost_and_counted()
    {
        _wanted = 1;
        var options = new AuditWebhookOptions { ConfigFile = _server.WriteKubeconfig(_folder), MaxSize = 2, MaxWait = TimeSpan.FromMinutes(10) };
        var webhook = new AuditWebhook(options, TimeProvider.System, NullLogger.Instance);
        webhook.Write("{\"auditID\":\"1\"}\n"u8.ToArray());
        webhook.Write("{\"auditID\":\"2\"}\n"u8.ToArray());
        await _full.Task.WaitAsync(TestContext.Current.CancellationToken);
        var list = Assert.Single(_asked);
        Assert.Equal("EventList", list.GetProperty("kind").GetString());
        Assert.Equal(["1", "2"], list.GetProperty("items").EnumerateArray().Select(e => e.GetProperty("auditID").GetString()!));
        _code = 500;
        webhook.Write("{\"auditID\":\"3\"}\n"u8.ToArray());
        await webhook.DisposeAsync();
        Assert.Equal(1, webhook.Lost);
    }

    [Fact]
    public void A_file_that_changes_is_read_again_and_a_wrong_one_is_reported()
    {
        var path = Path.Combine(_folder, "file");
        File.WriteAllText(path, "one");
        var problems = new List<string>();
        var file = new ReloadedFile<string>(path, p => File.ReadAllText(p) is var text && text != "bad" ? text : throw new ComponentException("bad file"), TimeSpan.FromSeconds(10), _clock, problems.Add);
        Change("two", 1);
        Assert.Equal("one", file.Current);
        _clock.Now += TimeSpan.FromSeconds(11);
        Assert.Equal("two", file.Current);
        Change("bad", 2);
        _clock.Now += TimeSpan.FromSeconds(11);
        Assert.Equal("two", file.Current);
        Assert.Equal("bad file", Assert.Single(problems));

        void Change(string text, int hours)
        {
            File.WriteAllText(path, text);
            File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddHours(hours));
        }
    }

    private WebhookAuthorizer Authorizer(string policy)
    {
        var config = AuthorizationConfig.Parse("f", $$"""
            apiVersion: apiserver.config.k8s.io/v1
            kind: AuthorizationConfiguration
            authorizers:
            - type: Webhook
              name: hook
              webhook:
                timeout: 5s
                subjectAccessReviewVersion: v1
                matchConditionSubjectAccessReviewVersion: v1
                failurePolicy: {{policy}}
                connectionInfo: {type: KubeConfigFile, kubeConfigFile: "{{_server.WriteKubeconfig(_folder)}}"}
                matchConditions:
                - expression: has(request.resourceAttributes)
                - expression: request.resourceAttributes.namespace == 'ns'
            """);
        return new WebhookAuthorizer(config.Authorizers.Single().Webhook!, _clock);
    }

    private static async Task<AuthorizationResult> AskAsync(WebhookAuthorizer authorizer, string ns) =>
        await authorizer.AuthorizeAsync(new AuthorizationAttributes { User = new UserInfo("jane"), Verb = "get", IsResource = true, Resource = "pods", Namespace = ns }, TestContext.Current.CancellationToken);

    private async Task AnswerAsync(HttpContext context)
    {
        Assert.Equal("Bearer let-me-in", context.Request.Headers.Authorization.ToString());
        using var document = await JsonDocument.ParseAsync(context.Request.Body);
        var code = _code;
        lock (_asked)
        {
            _asked.Add(document.RootElement.Clone());
            if (_asked.Count >= _wanted)
            {
                _full.TrySetResult();
            }
        }

        context.Response.StatusCode = code;
        await context.Response.WriteAsync(_answer);
    }
}
