namespace Hardway.Provisioning.Verification;

/// <summary>One line of the verification: what was looked at, whether it is as it must be, and what was seen.</summary>
public sealed record Finding(string Subject, bool Good, string Seen, TimeSpan Elapsed);
