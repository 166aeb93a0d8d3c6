using Hardway.Provisioning.ControlPlane;
using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Faults;

internal sealed class TwoMemberEtcd() : Fault("two-member-etcd", "etcd has an even number of members")
{
    public override string Lesson =>
        "A majority of two is two: with two members the loss of either stops every write, so two are less safe than one. The tutorial has two. It takes three to lose one, five to lose two; "
        + "an even number adds a machine that may fail and no failure that may be survived.";

    public override IReadOnlyList<string> Hints => ["Everything works.", "What if one more server fails now?", "etcdctl member list"];

    public override IReadOnlyList<string> Explains => ["etcd-stopped"];

    public override string? Obstacle(MachineDatabase machines, bool sharedKernel) => machines.Servers.Count < 3 ? "it takes three servers" : null;

    public override IEnumerable<Diagnosis> Diagnose(Examination examination)
    {
        if (examination.Etcd is { } etcd && etcd.Members.Count % 2 == 0)
        {
            var missing = examination.Machines.Servers.FirstOrDefault(s => !etcd.Members.Values.Contains(s.HostName));
            yield return Found(
                missing,
                $"etcd has {etcd.Members.Count} members ({string.Join(", ", etcd.Members.Values.Order())}): the loss of {etcd.Members.Count / 2} stops every write, as with {etcd.Members.Count - 1}",
                missing is null ? "add a server, or remove one" : $"hardway server add {missing}");
        }
    }

    public override Task PutInAsync(FaultContext context, CancellationToken cancellation)
        => EtcdMembership.RemoveAsync(context.Cluster, context.Cluster.Machines.Servers[^1], reachable: true, cancellation);

    public override Task TakeOutAsync(FaultContext context, CancellationToken cancellation)
        => EtcdMembership.AddAsync(context.Cluster, context.Cluster.Machines.Servers[^1], new StepContext(_ => { }, context.Cluster.Options.Time), cancellation);
}
