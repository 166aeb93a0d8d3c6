namespace Hardway.Scheduler.Explain;

/// <summary>Why a Pod is where it is, or nowhere: what every plugin of its profile says of every node, now.</summary>
/// <param name="Namespace">The Pod's namespace.</param>
/// <param name="Name">The Pod's name.</param>
/// <param name="Scheduler">The profile.</param>
/// <param name="Node">Where it is bound to; null while it waits. A bound Pod is judged as if it came anew.</param>
/// <param name="Message">For a Pod that fits nowhere, what its condition would say; for one with gates, which.</param>
/// <param name="Nodes">Every node; those that fit first, the best first.</param>
public sealed record PodExplanation(string Namespace, string Name, string Scheduler, string? Node, string? Message, IReadOnlyList<NodeVerdict> Nodes);

/// <summary>One node: every filter's answer, and for a node that fits every score.</summary>
public sealed record NodeVerdict(string Name, bool Fits, long Total, IReadOnlyList<FilterAnswer> Filters, IReadOnlyList<ScoreAnswer> Scores);

public enum FilterOutcome
{
    Passed,

    /// <summary>The plugin has nothing to say about this Pod.</summary>
    Skipped,
    Refused,
}

/// <summary>What one filter says; the reason where it refuses, and whether removing other Pods could change that.</summary>
public sealed record FilterAnswer(string Plugin, FilterOutcome Outcome, string? Reason = null, bool PreemptionMayHelp = false);

/// <summary>A score from 0 to 100, and what it weighs.</summary>
public sealed record ScoreAnswer(string Plugin, long Score, int Weight);
