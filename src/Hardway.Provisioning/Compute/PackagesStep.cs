using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Remote;

namespace Hardway.Provisioning.Compute;

/// <summary>
/// The distribution's packages that a machine's role needs. A machine image may have them already; else apt-get installs them, and starts no
/// service: what runs is configured by later steps.
/// </summary>
internal sealed class PackagesStep(ClusterModel cluster, Machine machine) : RemoteStep("packages", cluster, machine, "host-names")
{
    private (string Needed, string Packages) Wanted => Target.Role switch
    {
        MachineRole.Server => ("etcd etcdctl", "etcd-server etcd-client"),
        MachineRole.LoadBalancer => ("haproxy", "haproxy"),
        _ => ("containerd ctr runc nft conntrack /usr/lib/cni/bridge /usr/lib/cni/host-local /usr/lib/cni/portmap /usr/lib/cni/loopback",
            "containerd runc containernetworking-plugins nftables conntrack"),
    };

    public override string Explain => $"Looks for {Wanted.Needed} on {Target}; installs {Wanted.Packages} when something is missing.";

    protected override TimeSpan ApplyLimit => TimeSpan.FromMinutes(5);

    protected override void Describe(MachineState state) => state.Setting(
        $"packages {Wanted.Packages}",
        $"for c in {Wanted.Needed}; do command -v $c || exit 1; done",
        $"""
        export DEBIAN_FRONTEND=noninteractive
        if [ ! -e /usr/sbin/policy-rc.d ]; then
          printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
          chmod 755 /usr/sbin/policy-rc.d
          trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        fi
        apt-get install -y -q --no-install-recommends {Wanted.Packages} </dev/null >&2 || {"{"} apt-get update -q </dev/null >&2; apt-get install -y -q --no-install-recommends {Wanted.Packages} </dev/null >&2; {"}"}
        for c in {Wanted.Needed}; do command -v $c >/dev/null || {"{"} echo "$c is not there after the installation" >&2; exit 1; {"}"}; done
        """,
        "/etc/", "/usr/");
}
