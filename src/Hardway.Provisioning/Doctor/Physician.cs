using Hardway.Provisioning.Api;
using Hardway.Provisioning.Faults;

namespace Hardway.Provisioning.Doctor;

/// <summary>
/// Asks every fault whether it is there, leaves out what another one explains, and when something is visibly wrong and no cause was found, says that. Nothing to say
/// about a healthy cluster.
/// </summary>
internal static class Physician
{
    public static IReadOnlyList<Diagnosis> Diagnose(Examination examination)
    {
        List<Diagnosis> found =
        [
            .. examination.Silent.Select(s => new Diagnosis("machine-silent", s.Key, "a machine does not take SSH", s.Value, $"power it on, or see its console; hardway lab start {s.Key} in the lab")),
            .. FaultTable.All.SelectMany(f => f.Diagnose(examination)),
        ];
        var explained = found.SelectMany(d => ExplainedBy(d).Select(e => (d.Machine, e))).ToHashSet();
        found.RemoveAll(d => explained.Contains((d.Machine, d.Cause)));
        found.AddRange(Symptoms(examination).Where(s => found.Count == 0 || (s.Machine.Length > 0 && found.All(f => f.Machine != s.Machine && f.Machine.Length > 0))));
        return found;
    }

    private static IReadOnlyList<string> ExplainedBy(Diagnosis diagnosis) => FaultTable.All.FirstOrDefault(f => f.Name == diagnosis.Cause)?.Explains ?? [];

    /// <summary>What is wrong to see, for causes that nobody here knows.</summary>
    private static IEnumerable<Diagnosis> Symptoms(Examination examination)
    {
        if (examination.Api.Problem is { } problem)
        {
            yield return new Diagnosis("api-silent", "", "the API does not answer", problem, "look at the API servers' and the load balancer's logs: hardway ssh server-0 journalctl -u kube-apiserver -n 50");
        }

        foreach (var node in examination.Api.Nodes)
        {
            var name = (string)node["metadata"]!["name"]!;
            var ready = NodeReadiness.Condition(node, "Ready");
            if ((string?)ready?["status"] != "True")
            {
                yield return new Diagnosis("node-not-ready", name, "a node is not Ready", $"{(string?)ready?["reason"]}: {(string?)ready?["message"]}", $"hardway ssh {name} journalctl -u kubelet -n 50");
            }
        }
    }
}
