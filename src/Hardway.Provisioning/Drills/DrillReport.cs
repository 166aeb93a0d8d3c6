namespace Hardway.Provisioning.Drills;

/// <summary>
/// A point on the time line, in seconds after the fault: when it was to be expected at the earliest and at the latest, by which settings, and when it came (null: it
/// did not, or was not to be seen).
/// </summary>
public sealed record Milestone(string Name, double? Earliest, double? Latest, string Because, double? Measured)
{
    /// <summary>Timing by polling, scheduling of a busy machine.</summary>
    public const double Tolerance = 1.0;

    public bool IsAsExpected => Earliest is null || (Measured is { } at && at >= Earliest - Tolerance && at <= Latest + Tolerance);

    public string Verdict => Earliest is null ? ""
        : Measured is not { } at ? "did not come"
        : at > Latest + Tolerance ? $"{at - Latest:0.0} s later than the settings say"
        : at < Earliest - Tolerance ? $"{Earliest - at:0.0} s sooner than the settings say"
        : "as expected";
}

/// <summary>What one client saw from the fault on: tries, failures, and the longest time without a success.</summary>
public sealed record ClientReport(string Name, int Tries, int Failures, double Outage, double? OutageFrom, string FirstError);

/// <summary>One sentence that must be true, and what was seen.</summary>
public sealed record Proof(string Claim, bool Holds, string Seen);

/// <summary>A drill from its fault to its proof.</summary>
public sealed record DrillReport(
    string Component,
    Manner Manner,
    string Target,
    IReadOnlyList<Milestone> Milestones,
    IReadOnlyList<ClientReport> Clients,
    double ExpectedOutage,
    string ExpectedBecause,
    IReadOnlyList<Proof> Proofs)
{
    /// <summary>The longest time in which a client that writes through the load balancer did not succeed.</summary>
    public double Outage => Clients.Where(c => c.Name == DrillClients.Writer).Select(c => c.Outage).DefaultIfEmpty(0).Max();

    public bool Good => Proofs.All(p => p.Holds) && Outage <= ExpectedOutage + Milestone.Tolerance;
}
