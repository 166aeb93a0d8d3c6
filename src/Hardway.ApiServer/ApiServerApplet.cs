using Hardway.ApiServer.Serving;
using Hardway.Hosting;
using Microsoft.Extensions.Logging;

namespace Hardway.ApiServer;

/// <summary>kube-apiserver.</summary>
public static partial class ApiServerApplet
{
    public static async Task<int> RunAsync(string[] args, CancellationToken stop)
    {
        var flags = new FlagSet("kube-apiserver", "The Kubernetes API server: validates and keeps the cluster's objects, and is what everything else talks to.");
        using var logs = new ComponentLog();
        logs.AddFlags(flags);
        var options = new ApiServerOptions();
        options.AddFlags(flags);
        var standalone = Standalone.Of(args, TimeProvider.System);
        try
        {
            args = standalone?.Complete(args) ?? args;
        }
        catch (ComponentException e)
        {
            await Console.Error.WriteLineAsync(e.Message).ConfigureAwait(false);
            return 1;
        }

        return await Applet.RunAsync(flags, args, logs, async token =>
        {
            if (options.Problems().ToList() is { Count: > 0 } problems)
            {
                throw new ComponentException(string.Join("; ", problems));
            }

            if (standalone is not null)
            {
                LogStandalone(logs.CreateLogger("apiserver"), options.DataDir, standalone.Kubeconfig);
            }

            await using var server = new Serving.ApiServer(options, logs, TimeProvider.System);
            await server.RunAsync(token).ConfigureAwait(false);
            return 0;
        }, stop).ConfigureAwait(false);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "No --etcd-servers: this server keeps the cluster itself, in {DataDir}; use it with kubectl --kubeconfig={Kubeconfig}")]
    private static partial void LogStandalone(ILogger logger, string dataDir, string kubeconfig);
}
