using Hardway.Provisioning.Cluster;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.ControlPlane;

/// <summary>The control plane's systemd units, shaped as the tutorial's, with TLS to etcd and the Pods' real range.</summary>
internal static class ControlPlaneUnits
{
    public static string ApiServer(ClusterModel cluster, Machine server)
    {
        // Its own member first: the nearest, and the one that fails together with it.
        var etcd = string.Join(',', cluster.Machines.Servers.OrderBy(s => s != server).Select(s => $"https://{s.Address}:2379"));
        return $"""
            [Unit]
            Description=Kubernetes API Server
            Documentation=https://github.com/kubernetes/kubernetes
            After=network.target etcd.service
            StartLimitIntervalSec=0

            [Service]
            ExecStart=/usr/local/bin/kube-apiserver \
              --advertise-address={server.Address} \
              --allow-privileged=true \
              --apiserver-count={cluster.Machines.Servers.Count} \
              --audit-log-maxage=30 \
              --audit-log-maxbackup=3 \
              --audit-log-maxsize=100 \
              --audit-log-path=/var/log/audit.log \
              --authorization-mode=Node,RBAC \
              --bind-address=0.0.0.0 \
              --client-ca-file=/var/lib/kubernetes/ca.crt \
              --enable-admission-plugins=NamespaceLifecycle,NodeRestriction,LimitRanger,ServiceAccount,DefaultStorageClass,ResourceQuota \
              --etcd-cafile=/var/lib/kubernetes/etcd-ca.crt \
              --etcd-certfile=/var/lib/kubernetes/etcd-client.crt \
              --etcd-keyfile=/var/lib/kubernetes/etcd-client.key \
              --etcd-servers={etcd} \
              --event-ttl=1h \
              --encryption-provider-config=/var/lib/kubernetes/encryption-config.yaml \
              --kubelet-certificate-authority=/var/lib/kubernetes/ca.crt \
              --kubelet-client-certificate=/var/lib/kubernetes/kube-api-server.crt \
              --kubelet-client-key=/var/lib/kubernetes/kube-api-server.key \
              --proxy-client-cert-file=/var/lib/kubernetes/front-proxy-client.crt \
              --proxy-client-key-file=/var/lib/kubernetes/front-proxy-client.key \
              --requestheader-allowed-names={ClusterCertificates.FrontProxyClient} \
              --requestheader-client-ca-file=/var/lib/kubernetes/front-proxy-ca.crt \
              --requestheader-extra-headers-prefix=X-Remote-Extra- \
              --requestheader-group-headers=X-Remote-Group \
              --requestheader-username-headers=X-Remote-User \
              --runtime-config='api/all=true' \
              --service-account-key-file=/var/lib/kubernetes/service-accounts.crt \
              --service-account-signing-key-file=/var/lib/kubernetes/service-accounts.key \
              --service-account-issuer={cluster.EndpointUrl} \
              --service-node-port-range=30000-32767 \
              --tls-cert-file=/var/lib/kubernetes/kube-api-server.crt \
              --tls-private-key-file=/var/lib/kubernetes/kube-api-server.key \
              --service-cluster-ip-range={ClusterAddresses.ServiceRange} \
              --v=2
            Restart=always
            RestartSec=1
            LimitNOFILE=65536

            [Install]
            WantedBy=multi-user.target

            """;
    }

    public static string ControllerManager(ClusterModel cluster) => $"""
        [Unit]
        Description=Kubernetes Controller Manager
        Documentation=https://github.com/kubernetes/kubernetes
        After=network.target kube-apiserver.service
        StartLimitIntervalSec=0

        [Service]
        ExecStart=/usr/local/bin/kube-controller-manager \
          --bind-address=0.0.0.0 \
          --cluster-cidr={cluster.PodRange} \
          --cluster-name=kubernetes \
          --leader-elect=true \
          --cluster-signing-cert-file=/var/lib/kubernetes/ca.crt \
          --cluster-signing-key-file=/var/lib/kubernetes/ca.key \
          --kubeconfig=/var/lib/kubernetes/kube-controller-manager.kubeconfig \
          --root-ca-file=/var/lib/kubernetes/ca.crt \
          --service-account-private-key-file=/var/lib/kubernetes/service-accounts.key \
          --service-cluster-ip-range={ClusterAddresses.ServiceRange} \
          --use-service-account-credentials=true \
          --v=2
        Restart=always
        RestartSec=1
        LimitNOFILE=65536

        [Install]
        WantedBy=multi-user.target

        """;

    public const string Scheduler = """
        [Unit]
        Description=Kubernetes Scheduler
        Documentation=https://github.com/kubernetes/kubernetes
        After=network.target kube-apiserver.service
        StartLimitIntervalSec=0

        [Service]
        ExecStart=/usr/local/bin/kube-scheduler \
          --config=/etc/kubernetes/config/kube-scheduler.yaml \
          --v=2
        Restart=always
        RestartSec=1

        [Install]
        WantedBy=multi-user.target

        """;

    public const string SchedulerConfiguration = """
        apiVersion: kubescheduler.config.k8s.io/v1
        kind: KubeSchedulerConfiguration
        clientConnection:
          kubeconfig: "/var/lib/kubernetes/kube-scheduler.kubeconfig"
        leaderElection:
          leaderElect: true

        """;
}
