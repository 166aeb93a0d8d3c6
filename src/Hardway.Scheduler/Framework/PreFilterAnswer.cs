namespace Hardway.Scheduler.Framework;

/// <summary>What a plugin says of a Pod before it sees a node.</summary>
internal readonly record struct PreFilterAnswer
{
    /// <summary>No node will do.</summary>
    public Refusal? Refused { get; private init; }

    /// <summary>The plugin's filter need not run for this Pod.</summary>
    public bool Skips { get; private init; }

    /// <summary>Only these can do; null: no limit.</summary>
    public IReadOnlySet<string>? Nodes { get; private init; }

    public static PreFilterAnswer Go => default;

    public static PreFilterAnswer Skip { get; } = new() { Skips = true };

    public static PreFilterAnswer Only(IReadOnlySet<string> nodes) => new() { Nodes = nodes };

    public static implicit operator PreFilterAnswer(Refusal? refused) => new() { Refused = refused };
}
