using Hardway.Provisioning.Doctor;

namespace Hardway.Provisioning.Faults;

internal sealed class NodeCordoned() : Fault("node-cordoned", "a node takes no new Pods")
{
    public override string Lesson =>
        "cordon is for maintenance, and uncordon is forgotten. The node is Ready, its Pods run, and every new one goes elsewhere, until elsewhere is full and Pods stay Pending.";

    public override IReadOnlyList<string> Hints => ["Where do new Pods go?", "kubectl get nodes", "SchedulingDisabled"];

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => examination.Api.Nodes.Where(n => (bool?)n["spec"]?["unschedulable"] == true)
        .Select(n => (Name: (string)n["metadata"]!["name"]!, Machine: examination.Machines.Find((string)n["metadata"]!["name"]!)))
        .Select(n => Found(n.Machine, $"node {n.Name} has spec.unschedulable: true", $"hardway kubectl uncordon {n.Name}"));

    public override Task PutInAsync(FaultContext context, CancellationToken cancellation)
        => NodeObject.CordonAsync(context.Api, context.Cluster.Machines.Nodes[0].HostName, closed: true, cancellation);

    public override Task TakeOutAsync(FaultContext context, CancellationToken cancellation)
        => NodeObject.CordonAsync(context.Api, context.Cluster.Machines.Nodes[0].HostName, closed: false, cancellation);
}
