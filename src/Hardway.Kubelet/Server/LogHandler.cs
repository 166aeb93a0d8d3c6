using System.Globalization;
using Hardway.Kubelet.Logs;
using Hardway.Kubelet.Runtime;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Hardway.Kubelet.Server;

/// <summary>/containerLogs: the log of a container's current or previous attempt.</summary>
internal sealed class LogHandler(RuntimeReader reader, TimeProvider time)
{
    public async Task HandleAsync(HttpContext context, PodPath path)
    {
        if (Options(context.Request.Query, out var previous) is not { } options)
        {
            await KubeletServer.AnswerAsync(context, StatusCodes.Status400BadRequest, "a query parameter of the log request is not valid\n");
            return;
        }
        var uid = path.Pod.Metadata.Uid;
        var state = await reader.ReadAsync(uid, context.RequestAborted);
        var container = previous ? state.Previous(path.Container) : state.Latest(path.Container);
        if (container == null)
        {
            var what = previous ? $"previous terminated container \"{path.Container}\" in pod \"{path.Pod.Metadata.Name}\" not found" : $"container \"{path.Container}\" in pod \"{path.Pod.Metadata.Name}\" is waiting to start: {WaitingReason(path)}";
            await KubeletServer.AnswerAsync(context, StatusCodes.Status400BadRequest, what);
            return;
        }
        context.Response.ContentType = "text/plain";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        await context.Response.StartAsync(context.RequestAborted);
        if (File.Exists(container.LogPath))
            await new CriLogReader(time).CopyAsync(container.LogPath, options, () => IsRunningAsync(uid, container.Id, context.RequestAborted), context.Response.BodyWriter, context.RequestAborted);
    }

    private async ValueTask<bool> IsRunningAsync(string uid, string id, CancellationToken stop) =>
        (await reader.ReadAsync(uid, stop)).Containers.Any(c => c.Id == id && c.IsRunning);

    private static string WaitingReason(PodPath path) =>
        (path.Pod.Status.ContainerStatuses ?? []).Concat(path.Pod.Status.InitContainerStatuses ?? []).FirstOrDefault(s => s.Name == path.Container)?.State.Waiting?.Reason ?? "ContainerCreating";

    private LogOptions? Options(IQueryCollection query, out bool previous)
    {
        previous = Bool(query, "previous");
        var options = new LogOptions { Follow = Bool(query, "follow"), Timestamps = Bool(query, "timestamps") };
        if (!Number(query, "tailLines", out var tail) || !Number(query, "limitBytes", out var limit) || !Number(query, "sinceSeconds", out var seconds))
            return null;
        options = options with { TailLines = tail, LimitBytes = limit, Since = seconds is { } s ? time.GetUtcNow().AddSeconds(-s) : null };
        if (query["sinceTime"].ToString() is { Length: > 0 } since)
        {
            if (!DateTimeOffset.TryParse(since, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at))
                return null;
            options = options with { Since = at };
        }
        return query["stream"].ToString() switch
        {
            "Stdout" => options with { Stderr = false },
            "Stderr" => options with { Stdout = false },
            _ => options,
        };
    }

    private static bool Bool(IQueryCollection query, string name) => query[name].ToString() is "true" or "1";

    private static bool Number(IQueryCollection query, string name, out long? value)
    {
        value = null;
        if (query[name].ToString() is not { Length: > 0 } text)
            return true;
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return false;
        value = number;
        return true;
    }
}
