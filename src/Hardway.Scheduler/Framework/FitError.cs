namespace Hardway.Scheduler.Framework;

/// <summary>Why no node took a Pod, as the event and the condition tell it: "0/2 nodes are available: 2 Insufficient cpu. preemption: ...".</summary>
internal static class FitError
{
    public static string Message(int nodes, Refusal? preFilter, NodeRefusals refusals, string postFilter)
    {
        if (nodes == 0)
        {
            return "no nodes available to schedule pods";
        }

        var why = preFilter is not null ? preFilter.Message : Reasons(nodes, refusals);
        var text = $"0/{nodes} nodes are available:" + (why.Length == 0 ? "" : $" {why}.");
        return postFilter.Length == 0 ? text : $"{text} {postFilter}";
    }

    /// <summary>Upstream sorts the finished texts, so "1 x" comes before "2 a".</summary>
    private static string Reasons(int nodes, NodeRefusals refusals) =>
        string.Join(", ", refusals.Histogram(nodes).Select(c => $"{c.Value} {c.Key}").Order(StringComparer.Ordinal));
}
