using Hardway.Client;
using Hardway.Hosting;
using Hardway.Scheduler.Configuration;

namespace Hardway.Scheduler;

/// <summary>kube-scheduler's command line. With --config the file decides what both can say, as upstream.</summary>
internal sealed class SchedulerFlags
{
    private readonly LeaderElectionOptions _election = new() { ResourceName = "kube-scheduler" };

    public string Config { get; private set; } = "";
    public string Kubeconfig { get; private set; } = "";
    public string AuthenticationKubeconfig { get; private set; } = "";
    public ServingOptions Serving { get; } = new() { Port = 10259 };

    public void Bind(FlagSet flags)
    {
        flags.String("config", "KubeSchedulerConfiguration file", v => Config = v);
        flags.String("kubeconfig", "kubeconfig file (without --config)", v => Kubeconfig = v);
        flags.String("authentication-kubeconfig", "kubeconfig for asking who reads /metrics", v => AuthenticationKubeconfig = v);
        Serving.AddFlags(flags);
        _election.AddFlags(flags);
        flags.Inert(
            "authorization-kubeconfig", "authorization-always-allow-paths", "authorization-webhook-cache-authorized-ttl", "authorization-webhook-cache-unauthorized-ttl",
            "authentication-token-webhook-cache-ttl", "client-ca-file", "requestheader-client-ca-file", "requestheader-allowed-names", "requestheader-username-headers",
            "requestheader-group-headers", "requestheader-extra-headers-prefix", "requestheader-uid-headers", "feature-gates", "master", "write-config-to", "kube-api-burst", "kube-api-qps",
            "kube-api-content-type", "pod-max-in-unschedulable-pods-duration", "show-hidden-metrics-for-version", "disabled-metrics", "allow-metric-labels",
            "allow-metric-labels-manifest", "emulated-version", "min-compatibility-version");
        flags.InertBools("authentication-skip-lookup", "authentication-tolerate-lookup-failure", "profiling", "contention-profiling", "emulation-forward-compatible", "runtime-config-emulation-forward-compatible");
    }

    public SchedulerConfig Load()
    {
        if (Config.Length > 0)
        {
            return SchedulerConfigReader.Load(Config);
        }

        return _election.Validate() is { } wrong ? throw new ComponentException(wrong) : new SchedulerConfig { Kubeconfig = Kubeconfig, LeaderElection = _election };
    }
}
