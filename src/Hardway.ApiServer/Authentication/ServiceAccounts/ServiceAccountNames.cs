using Hardway.ApiServer.Http;

namespace Hardway.ApiServer.Authentication.ServiceAccounts;

/// <summary>How service accounts are called as users: system:serviceaccount:NAMESPACE:NAME.</summary>
internal static class ServiceAccountNames
{
    public const string Prefix = "system:serviceaccount:";
    public const string PodName = "authentication.kubernetes.io/pod-name";
    public const string PodUid = "authentication.kubernetes.io/pod-uid";
    public const string NodeName = "authentication.kubernetes.io/node-name";
    public const string NodeUid = "authentication.kubernetes.io/node-uid";

    public static string UserName(string ns, string name) => $"{Prefix}{ns}:{name}";

    public static bool TryParse(string user, out string ns, out string name)
    {
        ns = name = "";
        if (!user.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return false;
        }

        var rest = user[Prefix.Length..].Split(':');
        if (rest.Length != 2 || rest[0].Length == 0 || rest[1].Length == 0)
        {
            return false;
        }

        (ns, name) = (rest[0], rest[1]);
        return true;
    }

    public static IReadOnlyList<string> Groups(string ns) => [UserInfo.ServiceAccountsGroup, UserInfo.ServiceAccountsGroup + ":" + ns];
}
