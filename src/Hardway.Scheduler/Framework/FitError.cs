using System.Text;

namespace Hardway.Scheduler.Framework;

/// <summary>Why no node took a Pod, as the event and the condition tell it: "0/2 nodes are available: 2 Insufficient cpu. preemption: ...".</summary>
internal static class FitError
{
    public static string Message(int nodes, Refusal? preFilter, IEnumerable<Refusal> refusals, string postFilter)
    {
        if (nodes == 0)
        {
            return "no nodes available to schedule pods";
        }

        var text = new StringBuilder($"0/{nodes} nodes are available");
        if (preFilter is not null)
        {
            text.Append(": ").Append(preFilter.Message).Append('.');
        }
        else
        {
            var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
            foreach (var reason in refusals.SelectMany(r => r.Reasons))
            {
                counts[reason] = counts.GetValueOrDefault(reason) + 1;
            }

            // Upstream sorts the finished texts, so "1 x" comes before "2 y".
            var parts = counts.Select(c => $"{c.Value} {c.Key}").Order(StringComparer.Ordinal).ToList();
            text.Append(parts.Count == 0 ? "" : ": " + string.Join(", ", parts)).Append('.');
        }

        return postFilter.Length == 0 ? text.ToString() : text.Append(' ').Append(postFilter).ToString();
    }
}
