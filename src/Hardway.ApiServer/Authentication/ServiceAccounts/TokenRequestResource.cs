using Hardway.Api;
using Hardway.Api.Authentication.V1;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Authentication.ServiceAccounts;

/// <summary>
/// serviceaccounts/NAME/token: a token for an account, on request bound to a Pod, Secret or Node, so that it dies with it.
/// A kubelet asks for 3607 s (an hour, and a mark that tells such requests apart): those tokens live for a year, so that programs that read
/// their token only once go on, and carry the time at which they should have been renewed.
/// </summary>
internal sealed class TokenRequestResource(ServiceAccountTokenIssuer? issuer, AuthenticationOptions options, IResourceReader reader, TimeProvider time) : IVirtualResource
{
    private const string ReviewGroup = "authentication.k8s.io";
    private const long DefaultSeconds = 3600;
    private const long WarnOnlySeconds = 3607;
    private static readonly TimeSpan s_extended = TimeSpan.FromDays(365);

    public string Group => "";

    public string Resource => "serviceaccounts";

    public string Subresource => "token";

    public void Default(ApiStruct body) => ((TokenRequest)body).Spec.ExpirationSeconds ??= DefaultSeconds;

    public async ValueTask<ApiStruct> CreateAsync(RequestContext context, ApiStruct body, bool dryRun, CancellationToken cancellationToken)
    {
        if (issuer is null)
        {
            throw Statuses.NoSuchResource();
        }

        var request = (TokenRequest)body;
        var account = await FreshAsync<ServiceAccount>(context.Info.Namespace, context.Info.Name, "serviceaccounts", cancellationToken).ConfigureAwait(false);
        Check(request, account);
        var spec = request.Spec;
        spec.Audiences = spec.Audiences is { Count: > 0 } ? spec.Audiences : [.. options.Audiences];
        var asked = TimeSpan.FromSeconds(spec.ExpirationSeconds!.Value);
        if (options.MaxTokenExpiration > TimeSpan.Zero && asked > options.MaxTokenExpiration)
        {
            context.Warn($"the requested expiration of {(long)asked.TotalSeconds} seconds is shortened to {(long)options.MaxTokenExpiration.TotalSeconds} seconds");
            asked = options.MaxTokenExpiration;
            spec.ExpirationSeconds = (long)asked.TotalSeconds;
        }

        var claims = await ClaimsAsync(account, spec.BoundObjectRef, cancellationToken).ConfigureAwait(false);
        var life = asked;
        if (options.ExtendTokenExpiration && claims.Pod is not null && spec.ExpirationSeconds == WarnOnlySeconds && spec.Audiences.All(options.Audiences.Contains))
        {
            claims = claims with { WarnAfter = (time.GetUtcNow() + asked).ToUnixTimeSeconds() };
            life = s_extended;
        }

        request.Metadata = new ObjectMeta
        {
            Name = account.Metadata.Name,
            Namespace = account.Metadata.Namespace,
            Uid = account.Metadata.Uid,
            CreationTimestamp = time.GetUtcNow(),
            ManagedFields = request.Metadata.ManagedFields,
        };
        request.Status = new TokenRequestStatus { Token = issuer.Issue(claims, spec.Audiences, life), ExpirationTimestamp = time.GetUtcNow() + asked };
        return request;
    }

    private static void Check(TokenRequest request, ServiceAccount account)
    {
        var errors = new ErrorList();
        var meta = request.Metadata;
        if (meta.Name.Length > 0 && meta.Name != account.Metadata.Name)
        {
            errors.Invalid(FieldPath.Metadata.Child("name"), meta.Name, "must be the service account's name, or empty");
        }

        if (meta.Namespace.Length > 0 && meta.Namespace != account.Metadata.Namespace)
        {
            errors.Invalid(FieldPath.Metadata.Child("namespace"), meta.Namespace, "must be the service account's namespace, or empty");
        }

        if (errors.Any)
        {
            throw Statuses.Invalid(ReviewGroup, "TokenRequest", account.Metadata.Name, errors);
        }

        var seconds = FieldPath.Spec.Child("expirationSeconds");
        if (request.Spec.ExpirationSeconds is < 600)
        {
            errors.Invalid(seconds, request.Spec.ExpirationSeconds, "may not be less than 10 minutes");
        }

        if (request.Spec.ExpirationSeconds is > 1L << 32)
        {
            errors.Invalid(seconds, request.Spec.ExpirationSeconds, "may not be more than 2^32 seconds");
        }

        if (errors.Any)
        {
            throw Statuses.Invalid(ReviewGroup, "TokenRequest", "", errors);
        }
    }

    private async ValueTask<ServiceAccountClaims> ClaimsAsync(ServiceAccount account, BoundObjectReference? bound, CancellationToken cancellationToken)
    {
        var ns = account.Metadata.Namespace;
        var claims = new ServiceAccountClaims(ns, new BoundObject(account.Metadata.Name, account.Metadata.Uid));
        if (bound is null)
        {
            return claims;
        }

        switch (bound.ApiVersion, bound.Kind)
        {
            case ("v1", "Pod"):
                var pod = await FreshAsync<Pod>(ns, bound.Name, "pods", cancellationToken).ConfigureAwait(false);
                if (pod.Spec.ServiceAccountName != account.Metadata.Name)
                {
                    throw Statuses.BadRequest($"cannot bind a token of serviceaccount \"{account.Metadata.Name}\" to a pod that runs as another account");
                }

                return claims with { Pod = Same(bound, pod), Node = NodeOf(pod.Spec.NodeName) };
            case ("v1", "Secret"):
                return claims with { Secret = Same(bound, await FreshAsync<Secret>(ns, bound.Name, "secrets", cancellationToken).ConfigureAwait(false)) };
            case ("v1", "Node"):
                return claims with { Node = Same(bound, await FreshAsync<Node>("", bound.Name, "nodes", cancellationToken).ConfigureAwait(false)) };
            default:
                throw Statuses.BadRequest($"cannot bind a token to an object of type {bound.ApiVersion}, Kind={bound.Kind}");
        }
    }

    private BoundObject? NodeOf(string name) => name.Length == 0 ? null : new BoundObject(name, reader.Get<Node>("", name)?.Metadata.Uid ?? "");

    private static BoundObject Same(BoundObjectReference bound, KubeObject found)
    {
        var uid = found.Metadata.Uid;
        return bound.Uid.Length == 0 || bound.Uid == uid
            ? new BoundObject(found.Metadata.Name, uid)
            : throw Statuses.Conflict("", bound.Kind, bound.Name, $"the UID in the bound object reference ({bound.Uid}) does not match the UID in record; the object may have been deleted and made again");
    }

    private async ValueTask<T> FreshAsync<T>(string ns, string name, string resource, CancellationToken cancellationToken)
        where T : KubeObject, IApiType<T>, new() =>
        await reader.GetFreshAsync<T>(ns, name, cancellationToken).ConfigureAwait(false) ?? throw Statuses.NotFound("", resource, name);
}
