using Hardway.Hosting;

namespace Hardway.ApiServer.Audit;

/// <summary>What the command line says about the audit log.</summary>
internal sealed class AuditOptions
{
    public string PolicyFile { get; private set; } = "";

    /// <summary>Empty: no log. "-": standard output.</summary>
    public string LogPath { get; private set; } = "";

    public int MaxAgeDays { get; private set; }

    public int MaxBackups { get; private set; }

    public int MaxMegabytes { get; private set; }

    public bool Compress { get; private set; }

    /// <summary>Lines of name="value" pairs rather than JSON.</summary>
    public bool IsLegacy { get; private set; }

    public AuditWebhookOptions Webhook { get; } = new();

    public void AddFlags(FlagSet flags)
    {
        Webhook.AddFlags(flags);
        flags.Custom("audit-log-mode", "mode", "Lines are queued and written by one task in every mode; what finds no room is counted and reported.", v => v is "batch" or "blocking" or "blocking-strict" ? null : "is not batch, blocking or blocking-strict", "blocking");
        flags.Custom("audit-log-format", "format", "json, or legacy: one line of name=\"value\" pairs.", SetFormat, "json");
        flags.Custom("audit-log-version", "version", "Version of events: audit.k8s.io/v1.", v => v == "audit.k8s.io/v1" ? null : "is not audit.k8s.io/v1", "audit.k8s.io/v1");
        flags.Inert("audit-log-batch-buffer-size", "audit-log-batch-max-size", "audit-log-batch-max-wait", "audit-log-batch-throttle-burst", "audit-log-batch-throttle-qps", "audit-log-truncate-max-batch-size", "audit-log-truncate-max-event-size");
        flags.InertBools("audit-log-batch-throttle-enable", "audit-log-truncate-enabled");
        flags.String("audit-policy-file", "Which requests are noted, and how much of them. Without it nothing is.", v => PolicyFile = v);
        flags.String("audit-log-path", "File that the audit log is written to; - is standard output.", v => LogPath = v);
        flags.Int("audit-log-maxage", "Days after which old audit logs are removed; 0 for never.", v => MaxAgeDays = v, 0, 0);
        flags.Int("audit-log-maxbackup", "How many old audit logs are kept; 0 for all.", v => MaxBackups = v, 0, 0);
        flags.Int("audit-log-maxsize", "Megabytes at which an audit log is begun anew; 0 for 100.", v => MaxMegabytes = v, 0, 0);
        flags.Bool("audit-log-compress", "Compress old audit logs with gzip.", v => Compress = v);
    }

    private string? SetFormat(string text)
    {
        IsLegacy = text == "legacy";
        return text is "json" or "legacy" ? null : "is not json or legacy";
    }

    /// <summary>What is wrong, one line each.</summary>
    public IEnumerable<string> Problems()
    {
        foreach (var problem in Webhook.Problems())
        {
            yield return problem;
        }

        if (PolicyFile.Length > 0 && !File.Exists(PolicyFile))
        {
            yield return $"--audit-policy-file: {PolicyFile} does not exist";
        }
    }
}
