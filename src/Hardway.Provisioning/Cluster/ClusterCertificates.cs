using System.Net;
using Hardway.Pki;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Cluster;

/// <summary>A certificate of the cluster: its file name, which authority signs it, and what it says.</summary>
internal sealed record ClusterCertificate(string Name, string Authority, CertificateSpec Spec);

/// <summary>
/// Who has which certificate. Three authorities, so that a certificate of one kind is worth nothing elsewhere: "ca" for the API and the
/// kubelets, "etcd-ca" for etcd (a kubelet's certificate must not open etcd), "front-proxy-ca" for aggregated API servers.
/// Subjects are what RBAC and the Node authorizer know: user = common name, groups = organizations.
/// </summary>
internal static class ClusterCertificates
{
    public const string Authority = "ca";
    public const string EtcdAuthority = "etcd-ca";
    public const string FrontProxyAuthority = "front-proxy-ca";

    /// <summary>Common name of the certificate by which an aggregated API server knows that a request comes through ours.</summary>
    public const string FrontProxyClient = "front-proxy-client";

    /// <summary>What the aggregated Metrics API serves with.</summary>
    public const string MetricsServer = "metrics-server";

    /// <summary>The user as whom an API server calls a kubelet: the common name of its certificate.</summary>
    public const string ApiServerUser = "kubernetes";

    public static readonly IReadOnlyList<(string Name, string CommonName)> Authorities =
        [(Authority, "Kubernetes"), (EtcdAuthority, "etcd-ca"), (FrontProxyAuthority, "front-proxy-ca")];

    public static IReadOnlyList<ClusterCertificate> Of(MachineDatabase machines)
    {
        List<ClusterCertificate> all =
        [
            Client("admin", "admin", "system:masters"),
            Client("kube-controller-manager", "system:kube-controller-manager", "system:kube-controller-manager"),
            Client("kube-scheduler", "system:kube-scheduler", "system:kube-scheduler"),
            Client("kube-proxy", "system:kube-proxy", "system:node-proxier"),
            new("service-accounts", Authority, new CertificateSpec { CommonName = "service-accounts", Organizations = ["Kubernetes"], Rsa = true }),
            new("kube-api-server", Authority, ApiServer(machines)),
            new("etcd-client", EtcdAuthority, new CertificateSpec { CommonName = "kube-apiserver-etcd-client" }),
            new(MetricsServer, Authority, new CertificateSpec { CommonName = "metrics-server", DnsNames = ["metrics-server.kube-system.svc", "metrics-server.kube-system.svc.cluster.local"], Use = CertificateUse.Server }),
            new(FrontProxyClient, FrontProxyAuthority, new CertificateSpec { CommonName = FrontProxyClient }),
        ];
        all.AddRange(machines.Servers.Select(s => new ClusterCertificate($"etcd-{s.HostName}", EtcdAuthority, Both(s, s.HostName, []) with
        {
            DnsNames = [s.HostName, s.Fqdn, "localhost"],
            Addresses = [s.Address, IPAddress.Loopback],
        })));
        all.AddRange(machines.Nodes.Select(n => new ClusterCertificate(n.HostName, Authority, Both(n, $"system:node:{n.HostName}", ["system:nodes"]))));
        return all;
    }

    private static ClusterCertificate Client(string name, string user, string group)
        => new(name, Authority, new CertificateSpec { CommonName = user, Organizations = [group] });

    private static CertificateSpec Both(Machine machine, string user, IReadOnlyList<string> groups) => new()
    {
        CommonName = user,
        Organizations = groups,
        DnsNames = [machine.HostName, machine.Fqdn],
        Addresses = [machine.Address],
        Use = CertificateUse.Server | CertificateUse.Client,
    };

    private static CertificateSpec ApiServer(MachineDatabase machines)
    {
        var balancer = machines.LoadBalancer is { } lb ? (IReadOnlyList<Machine>)[lb] : [];
        IReadOnlyList<Machine> doors = [.. machines.Servers, .. balancer];
        return new CertificateSpec
        {
            CommonName = ApiServerUser,
            Organizations = ["Kubernetes"],
            Use = CertificateUse.Server | CertificateUse.Client,
            DnsNames =
            [
                "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster", "kubernetes.default.svc.cluster.local",
                $"server.{machines.Domain}", $"api-server.{machines.Domain}", .. doors.Select(m => m.HostName), .. doors.Select(m => m.Fqdn), "localhost",
            ],
            Addresses = [IPAddress.Parse(ClusterAddresses.KubernetesService), IPAddress.Loopback, .. doors.Select(m => m.Address)],
        };
    }
}
