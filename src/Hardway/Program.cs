using System.Text;
using Hardway.ApiServer;
using Hardway.ControllerManager;
using Hardway.Dns;
using Hardway.Kubelet;
using Hardway.Lab;
using Hardway.MetricsServer;
using Hardway.Proxy;
using Hardway.Scheduler;

namespace Hardway;

/// <summary>
/// The table of applets: one binary that acts by the name it is called by (kube-apiserver is a symlink to it), or by its first argument
/// (`hardway kube-apiserver --help`). Anything else is the jumpbox program's command line.
/// </summary>
internal static class Program
{
    private static readonly Dictionary<string, Func<string[], CancellationToken, Task<int>>> Components = new(StringComparer.Ordinal)
    {
        ["kube-apiserver"] = ApiServerApplet.RunAsync,
        ["kube-controller-manager"] = ControllerManagerApplet.RunAsync,
        ["cluster-dns"] = DnsApplet.RunAsync,
        ["kube-proxy"] = ProxyApplet.RunAsync,
        ["kube-scheduler"] = SchedulerApplet.RunAsync,
        ["kubelet"] = KubeletApplet.RunAsync,
        ["metrics-server"] = MetricsServerApplet.RunAsync,
    };

    private static Task<int> Main(string[] args)
    {
        if (Components.TryGetValue(CalledName(), out var component)) return component(args, CancellationToken.None);
        if (args.Length > 0 && Components.TryGetValue(args[0], out component)) return component(args[1..], CancellationToken.None);
        return HardwayApplet.RunAsync(args, CancellationToken.None);
    }

    /// <summary>argv[0] as the caller gave it: the runtime's own accessors have already followed the symlink.</summary>
    private static string CalledName()
    {
        var commandLine = File.ReadAllBytes("/proc/self/cmdline").AsSpan();
        var end = commandLine.IndexOf((byte)0);
        return Path.GetFileName(Encoding.UTF8.GetString(end < 0 ? commandLine : commandLine[..end]));
    }
}
