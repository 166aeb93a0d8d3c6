using System.Net;

namespace Hardway.Provisioning.Workers;

/// <summary>The files of a node, as the tutorial has them.</summary>
internal static class WorkerConfiguration
{
    public const string SandboxImage = "registry.k8s.io/pause:3.10";

    /// <summary>
    /// restrict_oom_score_adj: a machine that is itself a container may not lower scores, and containerd would refuse its Pods;
    /// where it may, the restriction only keeps Pods from scores below containerd's own.
    /// </summary>
    public const string Containerd = $"""
        version = 2

        [plugins."io.containerd.grpc.v1.cri"]
          sandbox_image = "{SandboxImage}"
          restrict_oom_score_adj = true
          [plugins."io.containerd.grpc.v1.cri".cni]
            bin_dir = "/usr/lib/cni"
            conf_dir = "/etc/cni/net.d"
          [plugins."io.containerd.grpc.v1.cri".containerd]
            snapshotter = "overlayfs"
            default_runtime_name = "runc"
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
              runtime_type = "io.containerd.runc.v2"
              [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
                SystemdCgroup = true

        """;

    public const string Loopback = """
        {
          "cniVersion": "1.0.0",
          "name": "lo",
          "type": "loopback"
        }

        """;

    public const string Sysctl = """
        # Kubernetes: Pods are routed through this machine, and Services see bridged traffic.
        net.ipv4.ip_forward = 1
        net.bridge.bridge-nf-call-iptables = 1
        net.bridge.bridge-nf-call-ip6tables = 1

        """;

    public const string Kubelet = """
        kind: KubeletConfiguration
        apiVersion: kubelet.config.k8s.io/v1beta1
        address: "0.0.0.0"
        authentication:
          anonymous:
            enabled: false
          webhook:
            enabled: true
          x509:
            clientCAFile: "/var/lib/kubelet/ca.crt"
        authorization:
          mode: Webhook
        cgroupDriver: systemd
        containerRuntimeEndpoint: "unix:///var/run/containerd/containerd.sock"
        enableServer: true
        failSwapOn: false
        maxPods: 110
        memorySwap:
          swapBehavior: NoSwap
        port: 10250
        resolvConf: "/etc/resolv.conf"
        registerNode: true
        runtimeRequestTimeout: "15m"
        tlsCertFile: "/var/lib/kubelet/kubelet.crt"
        tlsPrivateKeyFile: "/var/lib/kubelet/kubelet.key"
        clusterDNS:
        - 10.32.0.10
        clusterDomain: cluster.local

        """;

    /// <summary>hairpinMode: a Pod reaches itself through its Service. No ipMasq: Pods of other nodes see a Pod's own address.</summary>
    public static string Bridge(IPNetwork subnet) => $$"""
        {
          "cniVersion": "1.0.0",
          "name": "bridge",
          "plugins": [
            {
              "type": "bridge",
              "bridge": "cni0",
              "isGateway": true,
              "ipMasq": false,
              "hairpinMode": true,
              "ipam": {
                "type": "host-local",
                "ranges": [[{ "subnet": "{{subnet}}" }]],
                "routes": [{ "dst": "0.0.0.0/0" }]
              }
            },
            {
              "type": "portmap",
              "capabilities": { "portMappings": true }
            }
          ]
        }

        """;

    /// <summary>Pods that talk to something outside the Pods' networks do so under the node's address: nobody else knows the way back.</summary>
    public static string Masquerade(IPNetwork subnet, IPNetwork podRange) => $$"""
        table ip hardway-masquerade
        delete table ip hardway-masquerade
        table ip hardway-masquerade {
          chain postrouting {
            type nat hook postrouting priority 110; policy accept;
            ip saddr {{subnet}} ip daddr != {{podRange}} oifname != "cni0" masquerade
          }
        }

        """;

    public static string KubeProxy(IPNetwork podRange) => $"""
        kind: KubeProxyConfiguration
        apiVersion: kubeproxy.config.k8s.io/v1alpha1
        clientConnection:
          kubeconfig: "/var/lib/kube-proxy/kubeconfig"
        mode: "nftables"
        clusterCIDR: "{podRange}"

        """;

    public static string KubeletUnit(string address) => $"""
        [Unit]
        Description=Kubernetes Kubelet
        Documentation=https://github.com/kubernetes/kubernetes
        After=containerd.service
        Requires=containerd.service
        StartLimitIntervalSec=0

        [Service]
        ExecStart=/usr/local/bin/kubelet \
          --config=/var/lib/kubelet/kubelet-config.yaml \
          --kubeconfig=/var/lib/kubelet/kubeconfig \
          --node-ip={address} \
          --v=2
        Restart=always
        RestartSec=1

        [Install]
        WantedBy=multi-user.target

        """;

    public const string KubeProxyUnit = """
        [Unit]
        Description=Kubernetes Kube Proxy
        Documentation=https://github.com/kubernetes/kubernetes
        After=network.target
        StartLimitIntervalSec=0

        [Service]
        ExecStart=/usr/local/bin/kube-proxy \
          --config=/var/lib/kube-proxy/kube-proxy-config.yaml \
          --v=2
        Restart=always
        RestartSec=1

        [Install]
        WantedBy=multi-user.target

        """;

    public const string MasqueradeUnit = """
        [Unit]
        Description=Masquerade of what Pods send to the outside
        After=network.target

        [Service]
        Type=oneshot
        RemainAfterExit=yes
        ExecStart=nft -f /etc/hardway/masquerade.nft
        ExecStop=-nft delete table ip hardway-masquerade

        [Install]
        WantedBy=multi-user.target

        """;
}
