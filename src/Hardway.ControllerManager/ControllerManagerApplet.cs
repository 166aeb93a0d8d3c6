using Hardway.Client;
using Hardway.Hosting;
using Microsoft.Extensions.Logging;

namespace Hardway.ControllerManager;

/// <summary>
/// kube-controller-manager: serves health and metrics, waits for the Lease, then runs every controller that is on. Losing the Lease ends the
/// process; systemd starts it again as a standby.
/// </summary>
public static partial class ControllerManagerApplet
{
    private const string Program = "kube-controller-manager";

    public static Task<int> RunAsync(string[] args, CancellationToken stop)
    {
        var logs = new ComponentLog();
        var options = new ControllerManagerOptions();
        var flags = new FlagSet(Program, "Watches the cluster's state through the API server and moves it towards the state that is wanted.");
        logs.AddFlags(flags);
        options.AddFlags(flags);
        return Applet.RunAsync(flags, args, logs, ct => RunAsync(options, logs, ct), stop);
    }

    private static async Task<int> RunAsync(ControllerManagerOptions options, ComponentLog logs, CancellationToken stop)
    {
        if (options.Validate().ToList() is { Count: > 0 } wrong) throw new ComponentException(string.Join("; ", wrong));
        var config = KubeConfig.LoadOrInCluster(options.Kubeconfig);
        var metrics = new Metrics();
        var health = new HealthChecks();
        using var client = new KubeClient(config, Program, metrics: metrics);
        using var anonymous = options.UseServiceAccountCredentials ? new KubeTransport(config.Anonymous(), metrics) : null;
        using var authentication = options.AuthenticationKubeconfig.Length > 0 ? new KubeClient(KubeConfig.Load(options.AuthenticationKubeconfig), Program) : null;
        options.Serving.Authorize = new DelegatedAuthorization(authentication).AuthorizeAsync;
        await using var serving = new ServingHost(Program, options.Serving, health, metrics, logs);
        var leaderEvents = new EventRecorder(client, Program, logs);

        var elector = new LeaderElector(client, options.LeaderElection, Program, logs, metrics, leaderEvents);
        health.Add("leaderElection", elector.Check, HealthEndpoints.Healthz);

        async Task LeadAsync(CancellationToken ct)
        {
            using var context = new ControllerContext(options, client, anonymous, logs, metrics) { Served = await ServedAsync(client, ct) };
            await RunControllersAsync(context, ct);
        }

        var host = new ComponentHost(Program, logs, TimeProvider.System)
            .Add("serving", serving.RunAsync, serving.StartAsync)
            .Add("events", leaderEvents.RunAsync)
            .Add("leader", ct => options.LeaderElection.LeaderElect ? elector.RunAsync(LeadAsync, ct) : LeadAsync(ct));
        await host.RunAsync(stop);
        return 0;
    }

    /// <summary>Every resource of every version the server has. A server that is not up yet is asked again: the Lease says it was a moment ago.</summary>
    private static async Task<IReadOnlySet<ApiResource>> ServedAsync(KubeClient client, CancellationToken ct)
    {
        while (true)
        {
            try
            {
                return (await Discovery.AllAsync(client, ct)).Resources.Select(r => r.Resource).ToHashSet();
            }
            catch (Exception e) when (e is ApiException or HttpRequestException or IOException)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), client.Time, ct);
            }
        }
    }

    private static async Task RunControllersAsync(ControllerContext context, CancellationToken ct)
    {
        var log = context.Logs.CreateLogger(Program);
        var controllers = ControllerTable.Make(context);
        LogStarting(log, controllers.Count);
        try
        {
            await Task.WhenAll([context.RunAsync(ct), .. controllers.Select(c => RunOneAsync(c, log, ct))]);
        }
        finally
        {
            foreach (var controller in controllers) controller.Dispose();
        }
    }

    private static async Task RunOneAsync(Controller controller, ILogger log, CancellationToken ct)
    {
        LogStarted(log, controller.Name);
        try
        {
            await controller.RunAsync(ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            LogEnded(log, e, controller.Name);
            throw new ComponentException($"controller {controller.Name} ended: {e.Message}", e);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "starting {Count} controllers")]
    private static partial void LogStarting(ILogger logger, int count);

    [LoggerMessage(Level = LogLevel.Information, Message = "started controller {Controller}")]
    private static partial void LogStarted(ILogger logger, string controller);

    [LoggerMessage(Level = LogLevel.Critical, Message = "controller {Controller} ended")]
    private static partial void LogEnded(ILogger logger, Exception exception, string controller);
}
