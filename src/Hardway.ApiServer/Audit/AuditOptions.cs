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

    public void AddFlags(FlagSet flags)
    {
        flags.String("audit-policy-file", "Which requests are noted, and how much of them. Without it nothing is.", v => PolicyFile = v);
        flags.String("audit-log-path", "File that the audit log is written to; - is standard output.", v => LogPath = v);
        flags.Int("audit-log-maxage", "Days after which old audit logs are removed; 0 for never.", v => MaxAgeDays = v, 0, 0);
        flags.Int("audit-log-maxbackup", "How many old audit logs are kept; 0 for all.", v => MaxBackups = v, 0, 0);
        flags.Int("audit-log-maxsize", "Megabytes at which an audit log is begun anew; 0 for 100.", v => MaxMegabytes = v, 0, 0);
        flags.Bool("audit-log-compress", "Compress old audit logs with gzip.", v => Compress = v);
    }

    /// <summary>What is wrong, one line each.</summary>
    public IEnumerable<string> Problems()
    {
        if (PolicyFile.Length > 0 && !File.Exists(PolicyFile))
        {
            yield return $"--audit-policy-file: {PolicyFile} does not exist";
        }
    }
}
