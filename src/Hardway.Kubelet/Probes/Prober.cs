using System.Net.Sockets;
using Hardway.Api.Core.V1;
using Hardway.Grpc;
using Hardway.Kubelet.Cri;
using Hardway.Kubelet.Stats;
using Container = Hardway.Api.Core.V1.Container;

namespace Hardway.Kubelet.Probes;

/// <summary>Runs one probe once, by its kind: exec, HTTP GET, TCP connection or gRPC health check.</summary>
internal sealed class Prober(RuntimeClient client, HttpProber http, ProbeMetrics metrics)
{
    public ProbeMetrics Metrics => metrics;

    public async Task<(ProbeOutcome Outcome, string Message)> RunAsync(Probe probe, Container container, string containerId, IReadOnlyList<string> podIps, CancellationToken stop)
    {
        var timeout = TimeSpan.FromSeconds(Math.Max(1, probe.TimeoutSeconds));
        if (probe.Exec is { } exec)
            return await ExecAsync(exec, containerId, timeout, stop);
        if (probe.HttpGet is { } get)
            return await http.ProbeAsync(get, container, podIps, timeout, stop);
        if (probe.TcpSocket is { } tcp)
            return await TcpAsync(tcp, container, podIps, timeout, stop);
        if (probe.Grpc is { } grpc)
            return await GrpcAsync(grpc, podIps, timeout, stop);
        return (ProbeOutcome.Unknown, "the probe has no action");
    }

    private async Task<(ProbeOutcome, string)> ExecAsync(ExecAction exec, string containerId, TimeSpan timeout, CancellationToken stop)
    {
        try
        {
            var result = await client.ExecSyncAsync(containerId, exec.Command ?? [], timeout, stop);
            return result.ExitCode == 0 ? (ProbeOutcome.Success, "") : (ProbeOutcome.Failure, result.Stdout.ToStringUtf8() + result.Stderr.ToStringUtf8());
        }
        catch (GrpcException e) when (e.Status is StatusCode.DeadlineExceeded || e.Detail.Contains("timeout", StringComparison.Ordinal))
        {
            return (ProbeOutcome.Failure, $"command timed out after {timeout.TotalSeconds} s");
        }
        catch (GrpcException e)
        {
            return (ProbeOutcome.Unknown, e.Detail);
        }
    }

    private static async Task<(ProbeOutcome, string)> TcpAsync(TCPSocketAction tcp, Container container, IReadOnlyList<string> podIps, TimeSpan timeout, CancellationToken stop)
    {
        if (HttpProber.PortOf(container, tcp.Port) is not { } port)
            return (ProbeOutcome.Unknown, $"port {tcp.Port} is not one of the container");
        var host = tcp.Host.Length > 0 ? tcp.Host : podIps.Count > 0 ? podIps[0] : "";
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(timeout);
        try
        {
            using var connection = new TcpClient();
            await connection.ConnectAsync(host, port, limit.Token);
            return (ProbeOutcome.Success, "");
        }
        catch (SocketException e)
        {
            return (ProbeOutcome.Failure, $"dial tcp {host}:{port}: {e.Message}");
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return (ProbeOutcome.Failure, $"dial tcp {host}:{port}: no answer within {timeout.TotalSeconds} s");
        }
    }

    private static async Task<(ProbeOutcome, string)> GrpcAsync(GRPCAction grpc, IReadOnlyList<string> podIps, TimeSpan timeout, CancellationToken stop)
    {
        var host = podIps.Count > 0 ? podIps[0] : "";
        using var channel = GrpcChannel.ForAddress($"http://{(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host)}:{grpc.Port}");
        try
        {
            var answer = await channel.UnaryAsync("/grpc.health.v1.Health/Check", new HealthCheckRequest { Service = grpc.Service ?? "" }, HealthCheckResponse.Parser, timeout, stop);
            return answer.Status == HealthCheckResponse.Types.ServingStatus.Serving ? (ProbeOutcome.Success, "") : (ProbeOutcome.Failure, $"service unhealthy (responded with {answer.Status})");
        }
        catch (GrpcException e)
        {
            return (ProbeOutcome.Failure, $"{e.Status}: {e.Detail}");
        }
    }
}
