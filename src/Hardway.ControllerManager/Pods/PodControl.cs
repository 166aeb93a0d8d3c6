using System.Text;
using System.Text.Json.Nodes;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>Creates Pods from templates and deletes them for an owner, and tells so in the owner's events.</summary>
internal sealed class PodControl(KubeClient client, EventRecorder events)
{
    /// <summary>A Pod from a template: name made from the owner's unless <paramref name="adjust"/> gives one.</summary>
    public static Pod FromTemplate(PodTemplateSpec template, KubeObject owner, Action<Pod>? adjust = null)
    {
        var pod = new Pod
        {
            Metadata = new ObjectMeta
            {
                Namespace = owner.Metadata.Namespace,
                GenerateName = GenerateName(owner.Metadata.Name),
                Labels = template.Metadata.Labels is { } labels ? new Dictionary<string, string>(labels, StringComparer.Ordinal) : null,
                Annotations = template.Metadata.Annotations is { } annotations ? new Dictionary<string, string>(annotations, StringComparer.Ordinal) : null,
                Finalizers = template.Metadata.Finalizers is { } finalizers ? [.. finalizers] : null,
                OwnerReferences = [OwnerReferences.Controlling(owner)],
            },
            Spec = template.Spec.Clone(),
        };
        adjust?.Invoke(pod);
        return pod;
    }

    public async Task<Pod> CreateAsync(Pod pod, KubeObject owner, CancellationToken ct)
    {
        try
        {
            var made = await client.CreateAsync(pod, ct);
            events.Normal(owner, "SuccessfulCreate", $"Created pod: {made.Metadata.Name}");
            return made;
        }
        catch (ApiException e) when (!e.IsNamespaceTerminating && !e.IsAlreadyExists)
        {
            events.Warning(owner, "FailedCreate", $"Error creating: {e.Message}");
            throw;
        }
    }

    public async Task DeleteAsync(Pod pod, KubeObject owner, CancellationToken ct)
    {
        try
        {
            if (await client.DeleteAsync<Pod>(pod.Metadata.Namespace, pod.Metadata.Name, new DeleteOptions { Preconditions = new Preconditions { Uid = pod.Metadata.Uid } }, ct))
                events.Normal(owner, "SuccessfulDelete", $"Deleted pod: {pod.Metadata.Name}");
        }
        catch (ApiException e) when (e.IsConflict)
        {
            // Another Pod has the name by now: the one that was meant is gone.
        }
        catch (ApiException e)
        {
            events.Warning(owner, "FailedDelete", $"Error deleting: {e.Message}");
            throw;
        }
    }

    /// <summary>Says in the Pod's condition DisruptionTarget why it goes, and deletes it.</summary>
    public static async Task EvictAsync(KubeClient client, Pod pod, string reason, string message, DateTimeOffset now, CancellationToken ct)
    {
        var condition = new JsonObject { ["type"] = "DisruptionTarget", ["status"] = "True", ["reason"] = reason, ["message"] = message, ["lastTransitionTime"] = ApiTime.Format(now) };
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = pod.Metadata.Uid }, ["status"] = new JsonObject { ["conditions"] = new JsonArray(condition) } };
        try
        {
            await client.PatchAsync<Pod>(pod.Metadata.Namespace, pod.Metadata.Name, PatchType.StrategicMerge, Encoding.UTF8.GetBytes(patch.ToJsonString()), ct, "status");
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            return;
        }
        await client.DeleteAsync<Pod>(pod.Metadata.Namespace, pod.Metadata.Name, new DeleteOptions { Preconditions = new Preconditions { Uid = pod.Metadata.Uid } }, ct);
    }

    /// <summary>
    /// Runs creations in batches of 1, 2, 4, ...: when the first fails (a quota, an admission plugin), the API server is not asked a thousand
    /// times. Returns how many succeeded, and the first error.
    /// </summary>
    public static async Task<(int Done, Exception? Error)> SlowStartAsync(int count, Func<int, Task> one)
    {
        var done = 0;
        for (var batch = Math.Min(1, count); batch > 0; batch = Math.Min(batch * 2, count - done))
        {
            var tasks = Enumerable.Range(done, batch).Select(one).ToArray();
            await Task.WhenAll(tasks).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var failed = tasks.FirstOrDefault(t => !t.IsCompletedSuccessfully);
            done += tasks.Count(t => t.IsCompletedSuccessfully);
            if (failed is not null) return (done, failed.Exception?.InnerException ?? new OperationCanceledException());
        }
        return (done, null);
    }

    /// <summary>The prefix leaves room for the five characters that the API server adds to 63.</summary>
    private static string GenerateName(string owner) => owner.Length <= 57 ? owner + "-" : owner[..57] + "-";
}
