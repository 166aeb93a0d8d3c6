using System.Text.Json;
using System.Text.Json.Nodes;
using Hardway.Api.Core.V1;
using Hardway.Client;
using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.Volumes;

/// <summary>
/// For each unbound claim: reserves the chosen volume for it, or tells the provisioner the node; then waits until the volume controller has
/// bound all of them, at most the configured time.
/// </summary>
internal sealed class VolumeBinder(KubeClient client, IClusterListers listers, ClusterState state, TimeSpan timeout) : IVolumeBinder
{
    private const string SelectedNode = "volume.kubernetes.io/selected-node";
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(500);

    public async Task<Refusal?> BindAsync(PodInfo pod, string node, CancellationToken cancel)
    {
        var names = VolumeClaims.Names(pod.Pod);
        foreach (var name in names)
        {
            if (listers.Claim(pod.Namespace, name) is { } claim && !VolumeClaims.IsBound(claim))
            {
                await ChooseAsync(claim, node, cancel).ConfigureAwait(false);
            }
        }

        var start = client.Time.GetTimestamp();
        while (!names.TrueForAll(name => listers.Claim(pod.Namespace, name) is { } claim && VolumeClaims.IsBound(claim)))
        {
            if (client.Time.GetElapsedTime(start) > timeout)
            {
                return new Refusal(RefusalKind.Error, nameof(VolumeBinding), "binding volumes: timed out waiting for the condition");
            }

            await Task.Delay(s_poll, client.Time, cancel).ConfigureAwait(false);
        }

        return null;
    }

    private async Task ChooseAsync(PersistentVolumeClaim claim, string node, CancellationToken cancel)
    {
        PersistentVolume? volume;
        lock (state.Lock)
        {
            volume = state.Node(node) is { } info ? VolumeClaims.FindVolume(claim, info, listers) : null;
        }

        if (volume is not null)
        {
            var reference = new JsonObject
            {
                ["apiVersion"] = "v1",
                ["kind"] = "PersistentVolumeClaim",
                ["namespace"] = claim.Metadata.Namespace,
                ["name"] = claim.Metadata.Name,
                ["uid"] = claim.Metadata.Uid,
                ["resourceVersion"] = claim.Metadata.ResourceVersion,
            };
            var patch = new JsonObject
            {
                ["metadata"] = new JsonObject
                {
                    ["resourceVersion"] = volume.Metadata.ResourceVersion,
                    ["annotations"] = new JsonObject { ["pv.kubernetes.io/bound-by-controller"] = "yes" },
                },
                ["spec"] = new JsonObject { ["claimRef"] = reference },
            };
            await client.PatchAsync<PersistentVolume>(null, volume.Metadata.Name, PatchType.Merge, Bytes(patch), cancel).ConfigureAwait(false);
        }
        else if (claim.Metadata.Annotations?.GetValueOrDefault(SelectedNode) != node)
        {
            var patch = new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [SelectedNode] = node } } };
            await client.PatchAsync<PersistentVolumeClaim>(claim.Metadata.Namespace, claim.Metadata.Name, PatchType.Merge, Bytes(patch), cancel).ConfigureAwait(false);
        }
    }

    private static byte[] Bytes(JsonObject patch)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            patch.WriteTo(writer);
        }

        return stream.ToArray();
    }
}
