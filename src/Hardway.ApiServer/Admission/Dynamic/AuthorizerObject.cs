using Hardway.ApiServer.Authorization;
using Hardway.ApiServer.Http;
using Hardway.Cel;

namespace Hardway.ApiServer.Admission.Dynamic;

/// <summary>
/// authorizer in expressions: authorizer.group('apps').resource('deployments').namespace('x').check('create').allowed(). Asks for the user of the
/// request, or a service account. The authorizers at hand answer without waiting; each check costs as much as upstream counts.
/// </summary>
internal sealed class AuthorizerObject(IAuthorizer authorizer, AuthorizationAttributes asked) : ICelObject
{
    private const long CheckCost = 350_000;

    public string TypeName => "kubernetes.authorization.Authorizer";

    public static AuthorizerObject Of(IAuthorizer authorizer, UserInfo user) => new(authorizer, new AuthorizationAttributes { User = user, Verb = "" });

    public static AuthorizerObject OfRequest(IAuthorizer authorizer, AdmissionAttributes a) => new(authorizer, new AuthorizationAttributes
    {
        User = a.User,
        Verb = "",
        IsResource = true,
        Group = a.Group,
        Version = a.Version,
        Resource = a.Resource,
        Subresource = a.Subresource,
        Namespace = a.Namespace,
        Name = a.Name,
    });

    public AuthorizerObject? RequestResource { get; init; }

    public bool TryGetField(string name, out object? value)
    {
        value = name == "requestResource" ? RequestResource : null;
        return value is not null;
    }

    public bool TryCall(string name, object?[] arguments, CelBudget budget, out object? result)
    {
        result = (name, arguments) switch
        {
            ("serviceAccount", [string ns, string account]) => new AuthorizerObject(authorizer, asked with
            {
                User = new UserInfo(Authentication.ServiceAccounts.ServiceAccountNames.UserName(ns, account))
                {
                    Groups = [.. Authentication.ServiceAccounts.ServiceAccountNames.Groups(ns), UserInfo.AuthenticatedGroup],
                },
            }),
            ("path", [string path]) => new AuthorizerObject(authorizer, asked with { Path = path, IsResource = false }),
            ("group", [string group]) => new AuthorizerObject(authorizer, asked with { Group = group, Version = "*", IsResource = true }),
            ("resource", [string resource]) => new AuthorizerObject(authorizer, asked with { Resource = resource }),
            ("subresource", [string subresource]) => new AuthorizerObject(authorizer, asked with { Subresource = subresource }),
            ("namespace", [string ns]) => new AuthorizerObject(authorizer, asked with { Namespace = ns }),
            ("name", [string one]) => new AuthorizerObject(authorizer, asked with { Name = one }),
            ("fieldSelector", [string selector]) => new AuthorizerObject(authorizer, asked with { FieldSelector = selector }),
            ("labelSelector", [string selector]) => new AuthorizerObject(authorizer, asked with { LabelSelector = selector }),
            ("check", [string verb]) => Check(asked with { Verb = verb }, budget),
            _ => null,
        };
        return result is not null;
    }

    private AccessDecision Check(AuthorizationAttributes question, CelBudget budget)
    {
        budget.Take(CheckCost);
        var answer = authorizer.AuthorizeAsync(question, CancellationToken.None);
        return answer.IsCompletedSuccessfully ? new AccessDecision(answer.Result) : throw new CelException("the authorizer cannot answer at once");
    }

    private sealed class AccessDecision(AuthorizationResult result) : ICelObject
    {
        public string TypeName => "kubernetes.authorization.Decision";

        public bool TryGetField(string name, out object? value)
        {
            value = null;
            return false;
        }

        public bool TryCall(string name, object?[] arguments, CelBudget budget, out object? answer)
        {
            answer = arguments.Length > 0 ? null : name switch { "allowed" => result.Allowed, "errored" => false, "error" => "", "reason" => result.Reason, _ => null };
            return answer is not null;
        }
    }
}
