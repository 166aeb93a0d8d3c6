using Hardway.Api.Core.V1;
using Hardway.Grpc;
using Hardway.Kubelet.Cri;
using Hardway.Kubelet.Pods;
using Hardway.Kubelet.Runtime;
using Microsoft.AspNetCore.Http;

namespace Hardway.Kubelet.Server;

/// <summary>exec, attach and port-forward: asks the runtime for a URL of its streaming server and hands the connection there; run: one command, its output.</summary>
internal sealed class StreamHandlers(PodWorkers workers, RuntimeClient runtime, RuntimeReader reader)
{
    public async Task ExecAsync(HttpContext context, PodPath path)
    {
        if (await RunningAsync(context, path) is not { } container)
            return;
        var query = context.Request.Query;
        var request = new ExecRequest { ContainerId = container.Id, Tty = Flag(query, "tty"), Stdin = Flag(query, "input", "stdin"), Stdout = Flag(query, "output", "stdout"), Stderr = Flag(query, "error", "stderr") && !Flag(query, "tty") };
        request.Cmd.Add(query["command"].OfType<string>());
        await HandOnAsync(context, () => runtime.ExecAsync(request, context.RequestAborted));
    }

    public async Task AttachAsync(HttpContext context, PodPath path)
    {
        if (await RunningAsync(context, path) is not { } container)
            return;
        var query = context.Request.Query;
        var spec = Qos.PodQos.AllContainers(path.Pod).FirstOrDefault(c => c.Name == path.Container);
        var tty = spec?.Tty ?? Flag(query, "tty");
        await HandOnAsync(context, () => runtime.AttachAsync(
            new AttachRequest { ContainerId = container.Id, Tty = tty, Stdin = Flag(query, "input", "stdin"), Stdout = Flag(query, "output", "stdout"), Stderr = Flag(query, "error", "stderr") && !tty },
            context.RequestAborted));
    }

    public async Task PortForwardAsync(HttpContext context, Pod pod)
    {
        var state = await reader.ReadAsync(pod.Metadata.Uid, context.RequestAborted);
        if (state.ReadySandbox is not { } sandbox)
        {
            await KubeletServer.AnswerAsync(context, StatusCodes.Status404NotFound, $"pod {pod.Metadata.Name} has no sandbox\n");
            return;
        }
        var request = new PortForwardRequest { PodSandboxId = sandbox.Id };
        foreach (var text in context.Request.Query["port"])
        {
            if (int.TryParse(text, out var port) && port is > 0 and < 65536)
                request.Port.Add(port);
        }
        await HandOnAsync(context, () => runtime.PortForwardAsync(request, context.RequestAborted));
    }

    public async Task RunCommandAsync(HttpContext context, PodPath path)
    {
        if (await RunningAsync(context, path) is not { } container)
            return;
        var command = context.Request.Query["cmd"].ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var result = await runtime.ExecSyncAsync(container.Id, command, TimeSpan.FromMinutes(1), context.RequestAborted);
        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.Body.WriteAsync(result.Stdout.Memory, context.RequestAborted);
        await context.Response.Body.WriteAsync(result.Stderr.Memory, context.RequestAborted);
        if (result.ExitCode != 0)
            await context.Response.WriteAsync($"command exited with {result.ExitCode}\n", context.RequestAborted);
    }

    private async Task<RuntimeContainer?> RunningAsync(HttpContext context, PodPath path)
    {
        var state = await reader.ReadAsync(path.Pod.Metadata.Uid, context.RequestAborted);
        if (state.Latest(path.Container) is { IsRunning: true } container && workers.Knows(path.Pod.Metadata.Uid))
            return container;
        await KubeletServer.AnswerAsync(context, StatusCodes.Status404NotFound, $"container not found (\"{path.Container}\")\n");
        return null;
    }

    private static async Task HandOnAsync(HttpContext context, Func<Task<string>> ask)
    {
        string url;
        try
        {
            url = await ask();
        }
        catch (GrpcException e)
        {
            await KubeletServer.AnswerAsync(context, StatusCodes.Status500InternalServerError, e.Detail + "\n");
            return;
        }
        await UpgradeProxy.RunAsync(context, url, context.RequestAborted);
    }

    private static bool Flag(IQueryCollection query, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (query[name].ToString() is "1" or "true")
                return true;
        }
        return false;
    }
}
