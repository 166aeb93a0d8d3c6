using Hardway.Api.Core.V1;
using Hardway.Grpc;
using Hardway.Kubelet.Cri;
using Hardway.Kubelet.Probes;
using Container = Hardway.Api.Core.V1.Container;

namespace Hardway.Kubelet.Lifecycle;

/// <summary>Runs postStart and preStop hooks: exec in the container, an HTTP request to the Pod, or a sleep.</summary>
internal sealed class HookRunner(RuntimeClient client, HttpProber http, TimeProvider time)
{
    /// <summary>Null when the hook went well, otherwise what went wrong.</summary>
    public async Task<string?> RunAsync(Pod pod, Container container, string id, LifecycleHandler hook, IReadOnlyList<string> podIps, CancellationToken stop)
    {
        try
        {
            if (hook.Exec is { } exec)
            {
                var result = await client.ExecSyncAsync(id, exec.Command ?? [], TimeSpan.Zero, stop);
                return result.ExitCode == 0 ? null : $"command exited with {result.ExitCode}: {result.Stderr.ToStringUtf8()}";
            }
            if (hook.HttpGet is { } get)
            {
                var (outcome, message) = await http.ProbeAsync(get, container, podIps, TimeSpan.FromSeconds(30), stop);
                return outcome == ProbeOutcome.Success ? null : message;
            }
            if (hook.Sleep is { } sleep)
                await Task.Delay(TimeSpan.FromSeconds(sleep.Seconds), time, stop);
            return hook.TcpSocket != null ? "tcpSocket hooks are not supported" : null;
        }
        catch (GrpcException e)
        {
            return e.Detail;
        }
    }
}
