using Hardway.Hosting;

namespace Hardway.ApiServer.Audit;

/// <summary>--audit-webhook-*.</summary>
internal sealed class AuditWebhookOptions
{
    /// <summary>Kubeconfig of the server that gets the events; empty for none.</summary>
    public string ConfigFile { get; set; } = "";

    public int BufferSize { get; set; } = 10_000;

    public int MaxSize { get; set; } = 400;

    public TimeSpan MaxWait { get; set; } = TimeSpan.FromSeconds(30);

    public TimeSpan InitialBackoff { get; set; } = TimeSpan.FromSeconds(10);

    public void AddFlags(FlagSet flags)
    {
        flags.String("audit-webhook-config-file", "Kubeconfig of a server that audit events are sent to.", v => ConfigFile = v);
        flags.Int("audit-webhook-batch-buffer-size", "Events that may wait to be sent.", v => BufferSize = v, BufferSize, 1);
        flags.Int("audit-webhook-batch-max-size", "Events sent at once at most.", v => MaxSize = v, MaxSize, 1);
        flags.Duration("audit-webhook-batch-max-wait", "How long an event waits for others at most.", v => MaxWait = v, MaxWait);
        flags.Duration("audit-webhook-initial-backoff", "Pause before events that were not taken are sent again.", v => InitialBackoff = v, InitialBackoff);
        flags.Custom("audit-webhook-mode", "mode", "batch: requests never wait for the server (blocking is the same here).", v => v is "batch" or "blocking" or "blocking-strict" ? null : "is not batch, blocking or blocking-strict", "batch");
        flags.Custom("audit-webhook-version", "version", "Version of events: audit.k8s.io/v1.", v => v == "audit.k8s.io/v1" ? null : "is not audit.k8s.io/v1", "audit.k8s.io/v1");
        flags.Inert("audit-webhook-batch-throttle-burst", "audit-webhook-batch-throttle-qps", "audit-webhook-truncate-max-batch-size", "audit-webhook-truncate-max-event-size");
        flags.InertBools("audit-webhook-batch-throttle-enable", "audit-webhook-truncate-enabled");
    }

    public IEnumerable<string> Problems()
    {
        if (ConfigFile.Length > 0 && !File.Exists(ConfigFile))
        {
            yield return $"--audit-webhook-config-file: {ConfigFile} does not exist";
        }
    }
}
