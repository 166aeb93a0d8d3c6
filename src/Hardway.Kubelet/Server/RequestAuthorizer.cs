using System.Collections.Concurrent;
using Hardway.Api.Authorization.V1;
using Hardway.Client;
using Hardway.Kubelet.Configuration;

namespace Hardway.Kubelet.Server;

/// <summary>
/// May this user do that on this node? Asked of the API as a SubjectAccessReview on nodes/SUBRESOURCE: metrics, stats, log, and proxy for
/// all else; configz, healthz and pods may be granted alone or by proxy. Answers are kept as the configuration says.
/// </summary>
internal sealed class RequestAuthorizer(KubeClient? client, KubeletConfig config, string nodeName, TimeProvider time)
{
    private const int MaxCached = 5000;
    private readonly ConcurrentDictionary<string, (bool Allowed, string Reason, DateTimeOffset Until)> _answers = new(StringComparer.Ordinal);

    public async ValueTask<(bool Allowed, string Reason)> AuthorizeAsync(RequestUser user, string method, string path, CancellationToken stop)
    {
        if (!config.WebhookAuthorization)
            return (true, "");
        if (client == null)
            return (false, "this kubelet has no API server to ask");
        var verb = method switch { "POST" => "create", "PUT" => "update", "PATCH" => "patch", "DELETE" => "delete", _ => "get" };
        (bool Allowed, string Reason) answer = (false, "");
        foreach (var subresource in Subresources(path))
        {
            answer = await AskAsync(user, verb, subresource, stop);
            if (answer.Allowed)
                break;
        }
        return answer.Allowed ? answer : (false, $"Forbidden (user={user.Name}, verb={verb}, resource=nodes, subresource(s)=[{string.Join(' ', Subresources(path))}])");
    }

    internal static string[] Subresources(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault() switch
    {
        "stats" => ["stats"],
        "metrics" => ["metrics"],
        "logs" => ["log"],
        "checkpoint" => ["checkpoint"],
        "configz" => ["configz", "proxy"],
        "healthz" => ["healthz", "proxy"],
        "pods" or "runningpods" => ["pods", "proxy"],
        _ => ["proxy"],
    };

    private async Task<(bool, string)> AskAsync(RequestUser user, string verb, string subresource, CancellationToken stop)
    {
        var key = $"{user.Name}\n{user.Uid}\n{string.Join(',', user.Groups)}\n{verb}\n{subresource}";
        var now = time.GetUtcNow();
        if (_answers.TryGetValue(key, out var known) && known.Until > now)
            return (known.Allowed, known.Reason);
        var review = new SubjectAccessReview
        {
            ApiVersion = "authorization.k8s.io/v1",
            Kind = "SubjectAccessReview",
            Spec = new SubjectAccessReviewSpec
            {
                User = user.Name,
                Uid = user.Uid,
                Groups = [.. user.Groups],
                Extra = user.Extra,
                ResourceAttributes = new ResourceAttributes { Verb = verb, Version = "v1", Resource = "nodes", Subresource = subresource, Name = nodeName },
            },
        };
        var answer = await client!.CreateAsync(ApiResource.Of<SubjectAccessReview>(), null, null, null, review, stop);
        if (_answers.Count >= MaxCached)
            _answers.Clear();
        _answers[key] = (answer.Status.Allowed, answer.Status.Reason, now + (answer.Status.Allowed ? config.AuthorizedTtl : config.UnauthorizedTtl));
        return (answer.Status.Allowed, answer.Status.Reason);
    }
}
