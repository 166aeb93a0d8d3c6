namespace Hardway.Provisioning.Verification;

/// <summary>The tutorial's modules, which group what is verified.</summary>
public enum Module
{
    Provisioning = 1,
    HighAvailability,
    Networking,
}

/// <summary>One line of the verification: what was looked at, what it must be, whether it is, and what was seen.</summary>
public sealed record Finding(Module Module, string Subject, string Expected, bool Good, string Seen, TimeSpan Elapsed)
{
    /// <summary>More of what was seen, as lines of a table; often none.</summary>
    public IReadOnlyList<string> Table { get; init; } = [];
}

/// <summary>What a look saw that was as it must be; otherwise the look throws.</summary>
internal sealed record Sight(string Seen, params IReadOnlyList<string> Table)
{
    public static implicit operator Sight(string seen) => new(seen);
}
