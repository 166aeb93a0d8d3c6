using Hardway.Api;
using Hardway.Api.Authentication.V1;
using Hardway.ApiServer.Configuration;

namespace Hardway.ApiServer.Authentication;

/// <summary>Asks another server whose a token is (TokenReview of authentication.k8s.io/v1). Answers are kept for a while.</summary>
internal sealed class WebhookTokenAuthenticator(WebhookConnection connection, TimeSpan life, TimeProvider time) : ITokenAuthenticator
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(30);
    private readonly AnswerCache<AuthenticationResult> _answers = new(time);

    public async ValueTask<AuthenticationResult> AuthenticateTokenAsync(string token, IReadOnlyList<string> audiences, CancellationToken cancellationToken)
    {
        var key = AnswerCache<AuthenticationResult>.KeyOf(string.Join('\n', [token, .. audiences]));
        if (_answers.TryGet(key, out var known))
        {
            return known;
        }

        try
        {
            var review = new TokenReview { Kind = "TokenReview", ApiVersion = "authentication.k8s.io/v1", Spec = { Token = token, Audiences = [.. audiences] } };
            var answer = ApiJson.Deserialize<TokenReview>(await connection.PostAsync(ApiJson.Serialize(review), s_timeout, cancellationToken).ConfigureAwait(false));
            var result = Read(answer.Status, audiences);
            _answers.Put(key, result, life);
            return result;
        }
        catch (Exception e) when (e is HttpRequestException or ApiDecodeException)
        {
            return AuthenticationResult.Failed("the token webhook: " + e.Message);
        }
    }

    private static AuthenticationResult Read(TokenReviewStatus status, IReadOnlyList<string> audiences)
    {
        if (!status.Authenticated)
        {
            return status.Error.Length > 0 ? AuthenticationResult.Failed(status.Error) : AuthenticationResult.NotHandled;
        }

        // A server that knows no audiences names none: the token is taken to be for this API.
        var common = status.Audiences is { Count: > 0 } named ? named.Intersect(audiences).ToList() : [.. audiences];
        return audiences.Count > 0 && common.Count == 0
            ? AuthenticationResult.Failed("the token is for other audiences")
            : AuthenticationResult.Success(new Http.UserInfo(status.User.Username)
            {
                Uid = status.User.Uid,
                Groups = status.User.Groups ?? [],
                Extra = status.User.Extra?.ToDictionary(e => e.Key, e => (IReadOnlyList<string>)e.Value, StringComparer.Ordinal) ?? [],
            }) with { Audiences = common };
    }
}
