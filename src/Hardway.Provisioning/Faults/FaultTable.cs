using Hardway.Hosting;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

/// <summary>Every fault. Causes stand before what they bring about.</summary>
internal static class FaultTable
{
    public static IReadOnlyList<Fault> All { get; } =
    [
        new TwoMemberEtcd(),
        new FullDisk(),
        new ClockSkew(),
        new SwapOn(),
        new ServiceRangeOverMachines(),
        new WrongPodRange(),
        new ApiCertificateLacksServiceAddress(),
        new ExpiredCertificate(),
        new WrongAuthorityCertificate(),
        new WrongSubjectCertificate(),
        new WrongKubeletAuthority(),
        new WrongServiceAccountKey(),
        new EncryptionKeyDiffers(),
        new SchedulerWithoutElection(),
        new EtcdNearlyFull(),
        new FewFileDescriptors(),
        new LoadBalancerDeadPort(),
        new DnsAddressOfMachine(),
        new WrongCgroupDriver(),
        new CniConfigurationMissing(),
        new WrongPodSubnet(),
        new MissingRoute(),
        new ForwardingOff(),
        new BridgeNetfilterOff(),
        new MtuMismatch(),
        new MixedPacketFilters(),
        new FilteredKubeletPort(),
        new DuplicateHostName(),
        new StaleHostsLine(),
        new UnitDisabled(),
        new KubeletAccessMissing(),
        new NodeCordoned(),
        new DnsOnOneNode(),
        new StoppedUnit("kube-proxy", MachineRole.Node, "Nothing turns Services into rules on that node any more. Rules that are there stay, so what has not changed goes on working; the next Pod that is replaced is called at its old address.", "A Service works, and then it does not."),
        new StoppedUnit("containerd", MachineRole.Node, "Containers live on under their shims; nobody starts, stops or looks at them. The kubelet needs containerd, stops with it, and after forty seconds the node is Unknown.", "A node is silent, its Pods answer.", "kubelet-stopped"),
        new StoppedUnit("kubelet", MachineRole.Node, "Pods run on and nobody speaks for them. After the grace period the node is Unknown, its Pods are no endpoints any more, and five minutes later they are made again elsewhere.", "A node is silent, its Pods answer."),
        new StoppedUnit("etcd", MachineRole.Server, "A majority goes on; the cluster feels nothing and has no failure left to survive.", "Everything works. What if one more fails?"),
        new StoppedUnit("kube-apiserver", MachineRole.Server, "The load balancer leaves it out; controller manager and scheduler of that server lose the API beside them, and the Leases move if they were there.", "Two of three."),
        new StoppedUnit("kube-controller-manager", MachineRole.Server, "Another holder takes the Lease. Nobody notices, and one candidate is gone.", "Everything works. Count the candidates."),
        new StoppedUnit("kube-scheduler", MachineRole.Server, "Another holder takes the Lease. Nobody notices, and one candidate is gone.", "Everything works. Count the candidates."),
        new StoppedUnit("haproxy", MachineRole.LoadBalancer, "There is one load balancer, and it is the way of every kubelet and every user. Controllers and scheduler go on, by the API server beside them.", "kubectl has nobody to talk to."),
    ];

    public static Fault Find(string name) => All.FirstOrDefault(f => f.Name == name)
        ?? throw new ComponentException($"there is no fault '{name}'; hardway break --list shows them");
}
