using ApiUser = Hardway.Api.Authentication.V1.UserInfo;

namespace Hardway.ApiServer.Authentication;

/// <summary>A user as the API writes it.</summary>
internal static class UserConversion
{
    public static ApiUser ToApi(Http.UserInfo user) => new()
    {
        Username = user.Name,
        Uid = user.Uid,
        Groups = user.Groups.Count > 0 ? [.. user.Groups] : null,
        Extra = user.Extra.Count > 0 ? user.Extra.ToDictionary(e => e.Key, e => e.Value.ToList(), StringComparer.Ordinal) : null,
    };
}
