namespace Hardway.Provisioning.Doctor;

/// <summary>
/// A cause that was found: which one (the fault's name), where ("" is the whole cluster), what shows it, and how it is mended.
/// </summary>
public sealed record Diagnosis(string Cause, string Machine, string Title, string Evidence, string Fix);
