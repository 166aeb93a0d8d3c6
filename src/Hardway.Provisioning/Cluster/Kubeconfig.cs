using System.Text;

namespace Hardway.Provisioning.Cluster;

/// <summary>Writes kubeconfig files: one cluster, one user, everything embedded, so that the file is all that its owner needs.</summary>
internal static class Kubeconfig
{
    public static string Render(string server, string authorityPem, string user, string certificatePem, string keyPem) => $"""
        apiVersion: v1
        kind: Config
        clusters:
        - name: hardway
          cluster:
            server: {server}
            certificate-authority-data: {Encode(authorityPem)}
        users:
        - name: {user}
          user:
            client-certificate-data: {Encode(certificatePem)}
            client-key-data: {Encode(keyPem)}
        contexts:
        - name: default
          context:
            cluster: hardway
            user: {user}
        current-context: default

        """;

    private static string Encode(string text) => Convert.ToBase64String(Encoding.ASCII.GetBytes(text));
}
