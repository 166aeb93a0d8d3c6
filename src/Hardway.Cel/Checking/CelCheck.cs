namespace Hardway.Cel;

/// <summary>What checking an expression found out.</summary>
/// <param name="Type">Of its value.</param>
/// <param name="Cost">The work it takes at most, in the units of <see cref="CelBudget"/>; infinite where a size is not known.</param>
/// <param name="Names">The host's variables that it names.</param>
public sealed record CelCheck(CelDecl Type, double Cost, IReadOnlySet<string> Names);
