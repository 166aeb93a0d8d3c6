using Hardway.ApiServer.Configuration;
using Hardway.Cel;
using Hardway.Hosting;

namespace Hardway.ApiServer.Authorization.Webhook;

/// <summary>AuthorizationConfiguration of apiserver.config.k8s.io (KEP-3221): who decides, in order. Immutable.</summary>
internal sealed record AuthorizationConfig(IReadOnlyList<AuthorizerConfig> Authorizers)
{
    public static AuthorizationConfig Read(string path) => Parse(path, ConfigFile.ReadText(path));

    /// <exception cref="ComponentException">What is wrong and where.</exception>
    internal static AuthorizationConfig Parse(string path, string yaml)
    {
        var root = ConfigFile.Parse(path, yaml, "apiserver.config.k8s.io", "AuthorizationConfiguration", "v1", "v1beta1");
        var all = root.Objects("authorizers").ConvertAll(AuthorizerConfig.Read);
        root.Done();
        if (all.Count == 0)
        {
            throw root.Wrong("authorizers", "must have one");
        }

        if (all.Select(a => a.Name).Distinct(StringComparer.Ordinal).Count() != all.Count)
        {
            throw root.Wrong("authorizers", "uses a name twice");
        }

        return all.Where(a => a.Type != "Webhook").GroupBy(a => a.Type).FirstOrDefault(g => g.Count() > 1) is { } twice ? throw root.Wrong("authorizers", $"has {twice.Key} twice") : new AuthorizationConfig(all);
    }
}

/// <summary>One authorizer of the list; a webhook's part only with the type Webhook. Immutable.</summary>
internal sealed record AuthorizerConfig(string Type, string Name, WebhookAuthorizerConfig? Webhook)
{
    private static readonly string[] s_types = ["Webhook", "RBAC", "Node", "AlwaysAllow", "AlwaysDeny"];

    internal static AuthorizerConfig Read(ConfigObject config)
    {
        var (type, name) = (config.String("type"), config.String("name"));
        if (!s_types.Contains(type))
        {
            throw config.Wrong("authorizers", $"has the type \"{type}\", which is not one of {string.Join(", ", s_types)}");
        }

        return name.Length == 0
            ? throw config.Wrong("authorizers", "has one without a name")
            : new AuthorizerConfig(type, name, type == "Webhook" ? WebhookAuthorizerConfig.Read(config.Object("webhook")) : null);
    }
}

/// <summary>How a webhook is asked. Immutable.</summary>
internal sealed record WebhookAuthorizerConfig
{
    private static readonly CelEnvironment s_environment = new("request");

    public required string KubeConfigFile { get; init; }

    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan AuthorizedTtl { get; init; } = TimeSpan.FromMinutes(5);

    public TimeSpan UnauthorizedTtl { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>What no answer means: Deny rather than no opinion.</summary>
    public bool FailureDenies { get; init; }

    /// <summary>It is asked only where all of these hold.</summary>
    public IReadOnlyList<CelProgram> MatchConditions { get; init; } = [];

    internal static WebhookAuthorizerConfig Read(ConfigObject config)
    {
        var timeout = config.Duration("timeout", TimeSpan.FromSeconds(3));
        var (sar, match) = (config.String("subjectAccessReviewVersion"), config.String("matchConditionSubjectAccessReviewVersion", "v1"));
        if (sar != "v1" || match != "v1")
        {
            throw config.Wrong("webhook.subjectAccessReviewVersion", "must be v1");
        }

        var policy = config.String("failurePolicy");
        if (policy is not ("NoOpinion" or "Deny"))
        {
            throw config.Wrong("webhook.failurePolicy", $"is \"{policy}\", not NoOpinion or Deny");
        }

        if (timeout <= TimeSpan.Zero || timeout > TimeSpan.FromSeconds(30))
        {
            throw config.Wrong("webhook.timeout", "is not above 0 and at most 30s");
        }

        var connection = config.Object("connectionInfo");
        var file = connection.String("kubeConfigFile");
        if (connection.String("type") != "KubeConfigFile" || file.Length == 0)
        {
            throw config.Wrong("webhook.connectionInfo", "must be of type KubeConfigFile and name a kubeConfigFile");
        }

        var keeps = (Yes: config.Bool("cacheAuthorizedRequests", true), No: config.Bool("cacheUnauthorizedRequests", true));
        var (yes, no) = (config.Duration("authorizedTTL", TimeSpan.FromMinutes(5)), config.Duration("unauthorizedTTL", TimeSpan.FromSeconds(30)));
        return new WebhookAuthorizerConfig
        {
            KubeConfigFile = file,
            Timeout = timeout,
            AuthorizedTtl = keeps.Yes ? yes : TimeSpan.Zero,
            UnauthorizedTtl = keeps.No ? no : TimeSpan.Zero,
            FailureDenies = policy == "Deny",
            MatchConditions = [.. config.Objects("matchConditions").Select(Compile)],
        };
    }

    private static CelProgram Compile(ConfigObject condition)
    {
        var expression = condition.String("expression");
        try
        {
            return s_environment.Compile(expression);
        }
        catch (CelSyntaxException e)
        {
            throw condition.Wrong("matchConditions", $"has \"{expression}\", which does not compile: {e.Message}", e);
        }
    }
}
