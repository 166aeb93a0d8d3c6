using Hardway.ApiServer.Serving;
using Hardway.Hosting;

namespace Hardway.ApiServer;

/// <summary>kube-apiserver.</summary>
public static class ApiServerApplet
{
    public static async Task<int> RunAsync(string[] args, CancellationToken stop)
    {
        var flags = new FlagSet("kube-apiserver", "The Kubernetes API server: validates and keeps the cluster's objects, and is what everything else talks to.");
        using var logs = new ComponentLog();
        logs.AddFlags(flags);
        var options = new ApiServerOptions();
        options.AddFlags(flags);
        return await Applet.RunAsync(flags, args, logs, async token =>
        {
            if (options.Problems().ToList() is { Count: > 0 } problems)
            {
                throw new ComponentException(string.Join("; ", problems));
            }

            await using var server = new Serving.ApiServer(options, logs, TimeProvider.System);
            await server.RunAsync(token).ConfigureAwait(false);
            return 0;
        }, stop).ConfigureAwait(false);
    }
}
