using System.Text.Json.Nodes;
using Hardway.Provisioning.Cluster;

namespace Hardway.Provisioning.Addons;

/// <summary>An object that shall exist: the collection's path, the name, and what it shall say.</summary>
internal sealed record Manifest(string Collection, string Name, JsonNode Body)
{
    public string Path => $"{Collection}/{Name}";

    public string Title => $"{(string?)Body["kind"]} {Name}";

    public static Manifest Of(string collection, string json)
    {
        var body = JsonNode.Parse(json)!;
        return new Manifest(collection, (string)body["metadata"]!["name"]!, body);
    }
}

/// <summary>What is in the cluster besides its machines' programs: the API servers' right to the kubelets, what kube-proxy may read, and cluster DNS.</summary>
internal static class Manifests
{
    public const string DnsImage = "hardway.local/hardway:v1";

    private const string _rbac = "/apis/rbac.authorization.k8s.io/v1";

    public static IReadOnlyList<Manifest> KubeletAccess =>
    [
        Manifest.Of($"{_rbac}/clusterroles", """
            {
              "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
              "metadata": { "name": "system:kube-apiserver-to-kubelet" },
              "rules": [ { "apiGroups": [""], "resources": ["nodes/proxy", "nodes/stats", "nodes/log", "nodes/spec", "nodes/metrics", "nodes/healthz", "nodes/configz", "nodes/pods"], "verbs": ["*"] } ]
            }
            """),
        Manifest.Of($"{_rbac}/clusterrolebindings", $$"""
            {
              "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
              "metadata": { "name": "system:kube-apiserver" },
              "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:kube-apiserver-to-kubelet" },
              "subjects": [ { "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "{{ClusterCertificates.ApiServerUser}}" } ]
            }
            """),
    ];

    /// <summary>Beside upstream's role for kube-proxy: ours enforces NetworkPolicy as well (docs/decisions/0007).</summary>
    public static IReadOnlyList<Manifest> NetworkAccess =>
    [
        Manifest.Of($"{_rbac}/clusterroles", """
            {
              "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
              "metadata": { "name": "hardway:node-network" },
              "rules": [
                { "apiGroups": [""], "resources": ["pods", "namespaces"], "verbs": ["list", "watch"] },
                { "apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": ["list", "watch"] }
              ]
            }
            """),
        Manifest.Of($"{_rbac}/clusterrolebindings", """
            {
              "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
              "metadata": { "name": "hardway:node-network" },
              "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "hardway:node-network" },
              "subjects": [ { "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "system:kube-proxy" } ]
            }
            """),
    ];

    /// <summary>Read by kube-controller-manager's service-lb-controller (docs/decisions/0008).</summary>
    public static IReadOnlyList<Manifest> LoadBalancerPool(string addresses) =>
    [
        Manifest.Of("/api/v1/namespaces/kube-system/configmaps", $$"""
            { "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "load-balancer", "namespace": "kube-system" }, "data": { "addresses": "{{addresses}}" } }
            """),
    ];

    public static IReadOnlyList<Manifest> Dns(int replicas) =>
    [
        Manifest.Of("/api/v1/namespaces/kube-system/serviceaccounts", """
            { "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "cluster-dns", "namespace": "kube-system" } }
            """),
        Manifest.Of($"{_rbac}/clusterroles", """
            {
              "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
              "metadata": { "name": "system:cluster-dns" },
              "rules": [
                { "apiGroups": [""], "resources": ["services", "namespaces", "pods", "endpoints"], "verbs": ["list", "watch"] },
                { "apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"] }
              ]
            }
            """),
        Manifest.Of($"{_rbac}/clusterrolebindings", """
            {
              "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
              "metadata": { "name": "system:cluster-dns" },
              "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:cluster-dns" },
              "subjects": [ { "kind": "ServiceAccount", "name": "cluster-dns", "namespace": "kube-system" } ]
            }
            """),
        Manifest.Of("/api/v1/namespaces/kube-system/services", $$"""
            {
              "apiVersion": "v1", "kind": "Service",
              "metadata": { "name": "kube-dns", "namespace": "kube-system", "labels": { "k8s-app": "kube-dns", "kubernetes.io/name": "CoreDNS" } },
              "spec": {
                "clusterIP": "{{ClusterAddresses.DnsService}}",
                "selector": { "k8s-app": "kube-dns" },
                "ports": [
                  { "name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53 },
                  { "name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53 }
                ]
              }
            }
            """),
        Manifest.Of("/apis/apps/v1/namespaces/kube-system/deployments", $$"""
            {
              "apiVersion": "apps/v1", "kind": "Deployment",
              "metadata": { "name": "cluster-dns", "namespace": "kube-system", "labels": { "k8s-app": "kube-dns" } },
              "spec": {
                "replicas": {{replicas}},
                "selector": { "matchLabels": { "k8s-app": "kube-dns" } },
                "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 1, "maxSurge": 0 } },
                "template": {
                  "metadata": { "labels": { "k8s-app": "kube-dns" } },
                  "spec": {
                    "serviceAccountName": "cluster-dns",
                    "priorityClassName": "system-cluster-critical",
                    "dnsPolicy": "Default",
                    "topologySpreadConstraints": [
                      { "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": { "matchLabels": { "k8s-app": "kube-dns" } } }
                    ],
                    "affinity": { "podAntiAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [
                      { "weight": 100, "podAffinityTerm": { "topologyKey": "kubernetes.io/hostname", "labelSelector": { "matchLabels": { "k8s-app": "kube-dns" } } } } ] } },
                    "containers": [
                      {
                        "name": "cluster-dns",
                        "image": "{{DnsImage}}",
                        "imagePullPolicy": "IfNotPresent",
                        "args": ["cluster-dns"],
                        "ports": [
                          { "name": "dns", "containerPort": 53, "protocol": "UDP" },
                          { "name": "dns-tcp", "containerPort": 53, "protocol": "TCP" }
                        ],
                        "readinessProbe": { "httpGet": { "path": "/ready", "port": 8080 }, "periodSeconds": 1, "failureThreshold": 3 },
                        "livenessProbe": { "httpGet": { "path": "/health", "port": 8080 }, "initialDelaySeconds": 10, "periodSeconds": 10 },
                        "resources": { "requests": { "cpu": "50m", "memory": "32Mi" }, "limits": { "memory": "192Mi" } }
                      }
                    ],
                    "tolerations": [ { "key": "CriticalAddonsOnly", "operator": "Exists" } ]
                  }
                }
              }
            }
            """),
    ];
}
