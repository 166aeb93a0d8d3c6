using System.Globalization;
using Hardway.Proxy.Configuration;
using Microsoft.Extensions.Logging;

namespace Hardway.Proxy;

/// <summary>The conntrack limits of the configuration, as sysctls. Where they cannot be written (a container's namespace) one line says so.</summary>
internal static partial class KernelSettings
{
    private const string Folder = "/proc/sys/net/netfilter/";

    public static void Apply(ProxyConfig config, ILogger log)
    {
        var max = Math.Max(config.ConntrackMaxPerCore * Environment.ProcessorCount, config.ConntrackMin);
        var failed = new List<string>();
        if (config.ConntrackMaxPerCore > 0 && Read("nf_conntrack_max") is { } now && now < max)
        {
            Write("nf_conntrack_max", max, failed);
        }

        Timeout("nf_conntrack_tcp_timeout_established", config.TcpEstablishedTimeout, failed);
        Timeout("nf_conntrack_tcp_timeout_close_wait", config.TcpCloseWaitTimeout, failed);
        if (config.LocalhostNodePorts)
        {
            Write("../ipv4/conf/all/route_localnet", 1, failed);
        }

        if (failed.Count > 0)
        {
            NotWritten(log, string.Join(", ", failed));
        }
    }

    private static void Timeout(string name, TimeSpan value, List<string> failed)
    {
        var seconds = (long)value.TotalSeconds;
        if (seconds > 0 && Read(name) is { } now && now != seconds)
        {
            Write(name, seconds, failed);
        }
    }

    private static long? Read(string name)
    {
        try
        {
            return long.TryParse(File.ReadAllText(Folder + name), NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) ? value : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // conntrack is not loaded yet: its defaults hold
        }
    }

    private static void Write(string name, long value, List<string> failed)
    {
        try
        {
            File.WriteAllText(Folder + name, value.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            failed.Add($"{name}={value}");
        }
    }

    [LoggerMessage(LogLevel.Warning, "These sysctls cannot be written here, the kernel's values stay: {Settings}")]
    private static partial void NotWritten(ILogger logger, string settings);
}
