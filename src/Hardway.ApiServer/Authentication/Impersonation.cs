using Hardway.ApiServer.Authentication.ServiceAccounts;
using Hardway.ApiServer.Authorization;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Microsoft.AspNetCore.Http;

namespace Hardway.ApiServer.Authentication;

/// <summary>
/// The Impersonate- headers: who may, acts as somebody else. Allowed by the verb "impersonate" on each of user, groups, uid and extras; or, for
/// this one action, by the verbs of constrained impersonation (KEP-5284): impersonate:MODE on who, and impersonate-on:MODE:VERB on what.
/// </summary>
internal sealed class Impersonation(IAuthorizer authorizer)
{
    private const string UserHeader = "Impersonate-User";
    private const string UidHeader = "Impersonate-Uid";
    private const string GroupHeader = "Impersonate-Group";
    private const string ExtraPrefix = "Impersonate-Extra-";
    private const string AuthenticationGroup = "authentication.k8s.io";

    /// <summary>Sets context.User to whom the request acts as, and RealUser to who sent it. Takes the headers away. Throws Forbidden.</summary>
    public async ValueTask ApplyAsync(RequestContext context, CancellationToken cancellationToken)
    {
        var headers = context.Request.Headers;
        var user = Read(headers);
        if (user is null)
        {
            return;
        }

        await AuthorizeAsync(context, user, cancellationToken).ConfigureAwait(false);
        Strip(headers);
        context.RealUser = context.User;
        context.User = Complete(user);
    }

    private static UserInfo? Read(IHeaderDictionary headers)
    {
        var name = headers[UserHeader].ToString();
        var groups = headers[GroupHeader].OfType<string>().ToList();
        var uid = headers[UidHeader].ToString();
        var extra = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var (header, values) in headers)
        {
            if (header.Length > ExtraPrefix.Length && header.StartsWith(ExtraPrefix, StringComparison.OrdinalIgnoreCase))
            {
                extra[Uri.UnescapeDataString(header[ExtraPrefix.Length..].ToLowerInvariant())] = [.. values.OfType<string>()];
            }
        }

        if (name.Length == 0 && (groups.Count > 0 || uid.Length > 0 || extra.Count > 0))
        {
            throw Statuses.BadRequest("groups, uid or extras are to be impersonated without a user name");
        }

        return name.Length == 0 ? null : new UserInfo(name) { Uid = uid, Groups = groups, Extra = extra };
    }

    private async ValueTask AuthorizeAsync(RequestContext context, UserInfo user, CancellationToken cancellationToken)
    {
        foreach (var asked in Whom(context.User, user, "impersonate", legacy: true))
        {
            if (!(await authorizer.AuthorizeAsync(asked, cancellationToken).ConfigureAwait(false)).Allowed)
            {
                await AuthorizeConstrainedAsync(context, user, cancellationToken).ConfigureAwait(false);
                return;
            }
        }
    }

    private async ValueTask AuthorizeConstrainedAsync(RequestContext context, UserInfo user, CancellationToken cancellationToken)
    {
        var mode = ModeOf(user);
        var what = AuthorizationAttributes.Of(context.Info, context.User) with { Verb = $"impersonate-on:{mode}:{context.Info.Verb}" };
        foreach (var asked in Whom(context.User, user, "impersonate:" + mode, legacy: false).Prepend(what))
        {
            var result = await authorizer.AuthorizeAsync(asked, cancellationToken).ConfigureAwait(false);
            if (!result.Allowed)
            {
                throw Denial.Of(asked, result.Reason);
            }
        }
    }

    private static string ModeOf(UserInfo user) =>
        ServiceAccountNames.TryParse(user.Name, out _, out _) && user.Groups.Count == 0 && user.Uid.Length == 0 && user.Extra.Count == 0 ? "serviceaccount"
        : user.Name.StartsWith("system:node:", StringComparison.Ordinal) && user.Groups.Count == 0 ? "arbitrary-node"
        : "user-info";

    /// <summary>The questions: one for the user, and each group, uid and extra value.</summary>
    private static IEnumerable<AuthorizationAttributes> Whom(UserInfo asker, UserInfo user, string verb, bool legacy)
    {
        var group = legacy ? "" : AuthenticationGroup;
        yield return ServiceAccountNames.TryParse(user.Name, out var ns, out var account)
            ? new AuthorizationAttributes { User = asker, Verb = verb, IsResource = true, Group = group, Version = "v1", Resource = "serviceaccounts", Namespace = ns, Name = account }
            : Ask(group, verb == "impersonate:arbitrary-node" ? "nodes" : "users", verb == "impersonate:arbitrary-node" ? user.Name["system:node:".Length..] : user.Name);
        if (user.Uid.Length > 0)
        {
            yield return Ask(AuthenticationGroup, "uids", user.Uid);
        }

        foreach (var one in user.Groups)
        {
            yield return Ask(group, "groups", one);
        }

        foreach (var (key, values) in user.Extra)
        {
            foreach (var value in values)
            {
                yield return Ask(AuthenticationGroup, "userextras", value) with { Subresource = key };
            }
        }

        AuthorizationAttributes Ask(string apiGroup, string resource, string name) =>
            new() { User = asker, Verb = verb, IsResource = true, Group = apiGroup, Version = "v1", Resource = resource, Name = name };
    }

    /// <summary>The groups that such a user would have by itself.</summary>
    private static UserInfo Complete(UserInfo user)
    {
        if (user.Name == UserInfo.AnonymousName)
        {
            return user.InGroup(UserInfo.UnauthenticatedGroup) ? user : user with { Groups = [.. user.Groups, UserInfo.UnauthenticatedGroup] };
        }

        if (user.Groups.Count == 0 && ServiceAccountNames.TryParse(user.Name, out var ns, out _))
        {
            user = user with { Groups = ServiceAccountNames.Groups(ns) };
        }

        return user.InGroup(UserInfo.AuthenticatedGroup) || user.InGroup(UserInfo.UnauthenticatedGroup) ? user : user with { Groups = [.. user.Groups, UserInfo.AuthenticatedGroup] };
    }

    private static void Strip(IHeaderDictionary headers)
    {
        foreach (var header in headers.Keys.Where(k => k.StartsWith("Impersonate-", StringComparison.OrdinalIgnoreCase)).ToList())
        {
            headers.Remove(header);
        }
    }
}
