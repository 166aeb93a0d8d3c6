using System.Text;

namespace Hardway.Provisioning.Addons;

/// <summary>The Metrics API: a metrics-server behind an APIService, what it may read, and who may read it.</summary>
internal static class MetricsManifests
{
    private const string _rbac = "/apis/rbac.authorization.k8s.io/v1", _namespaced = "/api/v1/namespaces/kube-system";

    /// <param name="certificate">What it serves with, PEM; empty while the plan is only explained.</param>
    public static IReadOnlyList<Manifest> Of(string certificate, string key, string authority) =>
    [
        Manifest.Of($"{_namespaced}/serviceaccounts", """
            { "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "metrics-server", "namespace": "kube-system" } }
            """),
        .. Access,
        Manifest.Of($"{_namespaced}/secrets", $$"""
            {
              "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
              "metadata": { "name": "metrics-server", "namespace": "kube-system" },
              "data": { "tls.crt": "{{Base64(certificate)}}", "tls.key": "{{Base64(key)}}" }
            }
            """),
        Manifest.Of($"{_namespaced}/services", """
            {
              "apiVersion": "v1", "kind": "Service",
              "metadata": { "name": "metrics-server", "namespace": "kube-system", "labels": { "k8s-app": "metrics-server" } },
              "spec": { "selector": { "k8s-app": "metrics-server" }, "ports": [ { "name": "https", "port": 443, "protocol": "TCP", "targetPort": 10250 } ] }
            }
            """),
        Manifest.Of("/apis/apps/v1/namespaces/kube-system/deployments", $$"""
            {
              "apiVersion": "apps/v1", "kind": "Deployment",
              "metadata": { "name": "metrics-server", "namespace": "kube-system", "labels": { "k8s-app": "metrics-server" } },
              "spec": {
                "replicas": 1,
                "selector": { "matchLabels": { "k8s-app": "metrics-server" } },
                "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 0 } },
                "template": {
                  "metadata": { "labels": { "k8s-app": "metrics-server" } },
                  "spec": {
                    "serviceAccountName": "metrics-server",
                    "priorityClassName": "system-cluster-critical",
                    "containers": [
                      {
                        "name": "metrics-server",
                        "image": "{{Manifests.DnsImage}}",
                        "imagePullPolicy": "IfNotPresent",
                        "args": ["metrics-server", "--secure-port=10250", "--tls-cert-file=/tls/tls.crt", "--tls-private-key-file=/tls/tls.key"],
                        "ports": [ { "name": "https", "containerPort": 10250, "protocol": "TCP" } ],
                        "readinessProbe": { "httpGet": { "path": "/readyz", "port": "https", "scheme": "HTTPS" }, "periodSeconds": 1 },
                        "livenessProbe": { "httpGet": { "path": "/livez", "port": "https", "scheme": "HTTPS" }, "initialDelaySeconds": 10, "periodSeconds": 10 },
                        "resources": { "requests": { "cpu": "50m", "memory": "48Mi" }, "limits": { "memory": "256Mi" } },
                        "securityContext": { "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": { "drop": ["ALL"] }, "seccompProfile": { "type": "RuntimeDefault" } },
                        "volumeMounts": [ { "name": "tls", "mountPath": "/tls", "readOnly": true }, { "name": "tmp", "mountPath": "/tmp" } ]
                      }
                    ],
                    "volumes": [ { "name": "tls", "secret": { "secretName": "metrics-server" } }, { "name": "tmp", "emptyDir": {} } ],
                    "tolerations": [ { "key": "CriticalAddonsOnly", "operator": "Exists" } ]
                  }
                }
              }
            }
            """),
        Manifest.Of("/apis/apiregistration.k8s.io/v1/apiservices", $$"""
            {
              "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
              "metadata": { "name": "v1beta1.metrics.k8s.io", "labels": { "k8s-app": "metrics-server" } },
              "spec": {
                "group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100,
                "service": { "name": "metrics-server", "namespace": "kube-system", "port": 443 },
                "caBundle": "{{Base64(authority)}}"
              }
            }
            """),
    ];

    private static IEnumerable<Manifest> Access =>
    [
        Manifest.Of($"{_rbac}/clusterroles", """
            {
              "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
              "metadata": { "name": "system:metrics-server" },
              "rules": [
                { "apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get"] },
                { "apiGroups": [""], "resources": ["pods", "nodes"], "verbs": ["get", "list", "watch"] }
              ]
            }
            """),
        Manifest.Of($"{_rbac}/clusterroles", """
            {
              "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
              "metadata": {
                "name": "system:aggregated-metrics-reader",
                "labels": {
                  "rbac.authorization.k8s.io/aggregate-to-admin": "true", "rbac.authorization.k8s.io/aggregate-to-edit": "true", "rbac.authorization.k8s.io/aggregate-to-view": "true"
                }
              },
              "rules": [ { "apiGroups": ["metrics.k8s.io"], "resources": ["pods", "nodes"], "verbs": ["get", "list", "watch"] } ]
            }
            """),
        Binding("clusterrolebindings", "ClusterRoleBinding", "system:metrics-server", "", "ClusterRole", "system:metrics-server"),
        Binding("clusterrolebindings", "ClusterRoleBinding", "metrics-server:system:auth-delegator", "", "ClusterRole", "system:auth-delegator"),
        Binding("namespaces/kube-system/rolebindings", "RoleBinding", "metrics-server-auth-reader", "\"namespace\": \"kube-system\", ", "Role", "extension-apiserver-authentication-reader"),
    ];

    private static Manifest Binding(string collection, string kind, string name, string place, string roleKind, string role) => Manifest.Of($"{_rbac}/{collection}", $$"""
        {
          "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "{{kind}}",
          "metadata": { {{place}}"name": "{{name}}" },
          "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "{{roleKind}}", "name": "{{role}}" },
          "subjects": [ { "kind": "ServiceAccount", "name": "metrics-server", "namespace": "kube-system" } ]
        }
        """);

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
