namespace Hardway.Provisioning.Steps;

/// <summary>
/// One thing that a step makes or changes: its kind (file, folder, setting, unit, certificate, key, object, command), its name, and what of it. Lists of these are
/// what <c>plan</c> foretells, what a receipt shows, and what <c>step show</c> prints.
/// </summary>
public sealed record StepItem(string Kind, string Name, string Detail)
{
    public override string ToString() => $"{Kind} {Name}{(Detail.Length > 0 ? $" ({Detail})" : "")}";
}
