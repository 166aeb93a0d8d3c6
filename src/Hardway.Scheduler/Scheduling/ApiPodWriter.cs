using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;
using Hardway.Scheduler.State;
using Microsoft.Extensions.Logging;

namespace Hardway.Scheduler.Scheduling;

/// <summary>Bindings, conditions, evictions and events through the API. A condition that is there already is not written again. Any thread.</summary>
internal sealed partial class ApiPodWriter(KubeClient client, EventRecorder events, ILogger log) : IPodWriter
{
    private static readonly ApiResource s_pods = ApiResource.Of<Pod>();

    public async Task BindAsync(PodInfo pod, string node, CancellationToken cancel)
    {
        var binding = new Binding();
        binding.ApiVersion = "v1";
        binding.Kind = "Binding";
        binding.Metadata.Namespace = pod.Namespace;
        binding.Metadata.Name = pod.Pod.Metadata.Name;
        binding.Metadata.Uid = pod.Uid;
        binding.Target.Kind = "Node";
        binding.Target.Name = node;
        await client.PostAsync(s_pods, pod.Namespace, pod.Pod.Metadata.Name, "binding", binding, cancel).ConfigureAwait(false);
    }

    public void Bound(PodInfo pod, string node) => events.Normal(pod.Pod, "Scheduled", $"Successfully assigned {pod.Key} to {node}");

    public async Task UnschedulableAsync(PodInfo pod, string reason, string message, string? nominatedNode, CancellationToken cancel)
    {
        events.Warning(pod.Pod, "FailedScheduling", message);
        var old = (pod.Pod.Status.Conditions ?? []).Find(c => c.Type == "PodScheduled");
        var nominated = nominatedNode ?? pod.Pod.Status.NominatedNodeName;
        if (old is { Status: "False" } && old.Reason == reason && old.Message == message && nominated == pod.Pod.Status.NominatedNodeName)
        {
            return;
        }

        var since = old is { Status: "False", LastTransitionTime: { } then } ? then : client.Time.GetUtcNow();
        var condition = new JsonObject
        {
            ["type"] = "PodScheduled",
            ["status"] = "False",
            ["reason"] = reason,
            ["message"] = message,
            ["lastProbeTime"] = null,
            ["lastTransitionTime"] = since.ToUniversalTime().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
        };
        if (pod.Pod.Metadata.Generation is > 0 and var generation)
        {
            condition["observedGeneration"] = generation;
        }

        var status = new JsonObject { ["conditions"] = new JsonArray(condition) };
        if (nominated.Length > 0)
        {
            status["nominatedNodeName"] = nominated;
        }

        await PatchStatusAsync(pod, status, cancel).ConfigureAwait(false);
    }

    public async Task PreemptAsync(PodInfo victim, PodInfo preemptor, string node, CancellationToken cancel)
    {
        var condition = new JsonObject
        {
            ["type"] = "DisruptionTarget",
            ["status"] = "True",
            ["reason"] = "PreemptionByScheduler",
            ["message"] = $"{preemptor.Pod.Spec.SchedulerName}: preempting to accommodate a higher priority pod",
            ["lastProbeTime"] = null,
            ["lastTransitionTime"] = client.Time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
        };
        await PatchStatusAsync(victim, new JsonObject { ["conditions"] = new JsonArray(condition) }, cancel).ConfigureAwait(false);
        await client.DeleteAsync<Pod>(victim.Namespace, victim.Pod.Metadata.Name, new DeleteOptions { Preconditions = new Preconditions { Uid = victim.Uid } }, cancel).ConfigureAwait(false);
        events.Normal(victim.Pod, "Preempted", $"Preempted by pod {preemptor.Uid} on node {node}");
    }

    public Task ClearNominationAsync(PodInfo pod, CancellationToken cancel) => PatchStatusAsync(pod, new JsonObject { ["nominatedNodeName"] = null }, cancel);

    private async Task PatchStatusAsync(PodInfo pod, JsonObject status, CancellationToken cancel)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            new JsonObject { ["metadata"] = new JsonObject { ["uid"] = pod.Uid }, ["status"] = status }.WriteTo(writer);
        }

        try
        {
            await client.PatchAsync<Pod>(pod.Namespace, pod.Pod.Metadata.Name, PatchType.StrategicMerge, stream.ToArray(), cancel, "status").ConfigureAwait(false);
        }
        catch (Exception e) when (e is ApiException or HttpRequestException)
        {
            NotPatched(log, pod.Key, e.Message);
        }
    }

    [LoggerMessage(LogLevel.Warning, "The status of {Pod} could not be written: {Reason}")]
    private static partial void NotPatched(ILogger logger, string pod, string reason);
}
