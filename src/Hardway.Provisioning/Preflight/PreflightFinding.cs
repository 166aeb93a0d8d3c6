namespace Hardway.Provisioning.Preflight;

/// <summary>Something that a cluster would suffer from: what, where ("" is this computer or all machines), and how it is mended. A warning stops nobody.</summary>
public sealed record PreflightFinding(bool IsWarning, string Machine, string Subject, string Seen, string Fix)
{
    /// <summary>In one line.</summary>
    public override string ToString() => $"{(IsWarning ? "warning: " : "")}{(Machine.Length > 0 ? Machine : "all machines")}: {Seen} ({Subject}). {Fix}";
}
