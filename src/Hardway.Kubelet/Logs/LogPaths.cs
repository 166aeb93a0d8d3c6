using System.Globalization;

namespace Hardway.Kubelet.Logs;

/// <summary>Where logs are: /var/log/pods/NAMESPACE_NAME_UID/CONTAINER/N.log, and a link for collectors in /var/log/containers.</summary>
internal static class LogPaths
{
    public const string LinkDirectory = "/var/log/containers";

    public static string PodDirectory(string root, string podNamespace, string name, string uid) => $"{root}/{podNamespace}_{name}_{uid}";

    /// <summary>Relative to the Pod's directory, as the runtime wants it.</summary>
    public static string ContainerLog(string container, uint attempt) => $"{container}/{attempt.ToString(CultureInfo.InvariantCulture)}.log";

    /// <summary>File names end at 255 bytes: the Pod's part is cut, the id keeps it unique.</summary>
    public static string Link(string name, string podNamespace, string container, string containerId)
    {
        const int most = 251;
        var prefix = $"{name}_{podNamespace}_{container}";
        var room = most - containerId.Length - 1;
        return $"{LinkDirectory}/{(prefix.Length > room ? prefix[..room] : prefix)}-{containerId}.log";
    }

    /// <summary>The UID of a Pod's log directory, or null when the name is not one.</summary>
    public static string? UidOf(string directoryName) => directoryName.Split('_') is [_, _, var uid] && uid.Length > 0 ? uid : null;
}
