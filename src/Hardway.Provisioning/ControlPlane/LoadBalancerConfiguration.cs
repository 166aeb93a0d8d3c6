using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.ControlPlane;

/// <summary>HAProxy's configuration file, and its own view of its backends.</summary>
internal static class LoadBalancerConfiguration
{
    public static string Render(ClusterModel cluster)
    {
        var servers = string.Join('\n', cluster.Machines.Servers.Select(s => $"    server {s.HostName} {s.Address}:{ClusterAddresses.ApiPort}"));
        return $"""
            global
                log stdout format raw local0 notice
                maxconn 8192
                user haproxy
                group haproxy
                stats socket /run/haproxy-admin.sock mode 600 level admin
                # After a reload the old process serves out its connections, but not for hours.
                hard-stop-after 3s

            defaults
                mode tcp
                log global
                # A connect that hangs (machine gone, no refusal) goes to another server at once.
                timeout connect 700ms
                retries 3
                option redispatch 1
                # Watches and exec sessions are quiet for long; dead peers are found by TCP keep-alive instead.
                timeout client 4h
                timeout server 4h
                option clitcpka
                clitcpka-idle 30s
                clitcpka-intvl 10s
                clitcpka-cnt 3
                option srvtcpka
                srvtcpka-idle 10s
                srvtcpka-intvl 3s
                srvtcpka-cnt 3
                timeout check 1500ms

            frontend kubernetes-api
                bind {cluster.Machines.Endpoint.Address}:{ClusterAddresses.ApiPort}
                default_backend kube-apiservers

            backend kube-apiservers
                balance leastconn
                option httpchk
                http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host {cluster.EndpointName}
                http-check expect status 200
                default-server check check-ssl verify required ca-file /etc/haproxy/hardway-ca.crt check-sni {cluster.EndpointName} verifyhost {cluster.EndpointName} inter 1s fastinter 500ms downinter 500ms rise 1 fall 2 on-marked-down shutdown-sessions
            {servers}

            """;
    }

    /// <summary>Each backend's state as HAProxy sees it, in one line.</summary>
    public static async Task<string> BackendsAsync(ClusterModel cluster, Machine balancer, CancellationToken cancellation)
    {
        // The admin socket speaks lines; bash cannot open a unix socket, so python3, socat or nc would be needed. HAProxy logs its changes as well.
        var result = await cluster.SshTo(balancer).RunAsync(
            "haproxy",
            "journalctl -q -u haproxy -n 4 -o cat --no-pager | tr '\\n' ';' | cut -c1-500",
            cancellation,
            mayFail: true).ConfigureAwait(false);
        return $"HAProxy says: {result.Output.Trim()}";
    }
}
