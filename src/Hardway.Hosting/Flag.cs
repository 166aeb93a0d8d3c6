namespace Hardway.Hosting;

/// <summary>One command line flag: how it is shown by --help and what a value does. <see cref="Apply"/> returns an error or null.</summary>
internal sealed record Flag(string Name, string Type, string Help, string Default, Func<string, string?> Apply)
{
    /// <summary>The value of the bare flag (booleans); null when a value must follow.</summary>
    public string? BareValue { get; init; }

    /// <summary>Accepted for upstream's sake and without effect here.</summary>
    public bool Inert { get; init; }
}
