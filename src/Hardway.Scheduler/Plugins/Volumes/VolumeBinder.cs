using System.Text.Json;
using System.Text.Json.Nodes;
using Hardway.Api.Core.V1;
using Hardway.Client;
using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.Volumes;

/// <summary>
/// For each unbound claim: reserves the chosen volume for it, or tells the provisioner the node; then waits until the volume controller has
/// bound all of them, at most the configured time. A provisioner that gives the node back ends the wait.
/// </summary>
internal sealed class VolumeBinder(KubeClient client, IClusterListers listers, TimeSpan timeout) : IVolumeBinder
{
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(500);

    public async Task<Refusal?> BindAsync(PodInfo pod, string node, IReadOnlyList<VolumeChoice> choices, CancellationToken cancel)
    {
        foreach (var choice in choices)
        {
            await WriteAsync(choice, node, cancel).ConfigureAwait(false);
        }

        var start = client.Time.GetTimestamp();
        while (!Array.TrueForAll(pod.ClaimNames, name => listers.Claim(pod.Namespace, name) is { } claim && VolumeClaims.IsBound(claim)))
        {
            if (client.Time.GetElapsedTime(start) > timeout)
            {
                return new Refusal(RefusalKind.Error, nameof(VolumeBinding), "binding volumes: context deadline exceeded");
            }

            await Task.Delay(s_poll, client.Time, cancel).ConfigureAwait(false);
            foreach (var choice in choices)
            {
                if (choice.Volume is null && GivenBack(choice.Claim))
                {
                    return new Refusal(RefusalKind.Error, nameof(VolumeBinding), $"binding volumes: provisioning failed for PVC \"{choice.Claim.Metadata.Name}\"");
                }
            }
        }

        return null;
    }

    /// <summary>The provisioner took the selected node away: the Pod must be placed anew.</summary>
    private bool GivenBack(PersistentVolumeClaim written) =>
        listers.Claim(written.Metadata.Namespace, written.Metadata.Name) is not { } now
        || (now.Metadata.ResourceVersion != written.Metadata.ResourceVersion && !VolumeClaims.IsBound(now) && now.Metadata.Annotations?.ContainsKey(VolumeClaims.SelectedNode) != true);

    private async Task WriteAsync(VolumeChoice choice, string node, CancellationToken cancel)
    {
        var (claim, volume) = choice;
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
        else if (claim.Metadata.Annotations?.GetValueOrDefault(VolumeClaims.SelectedNode) != node)
        {
            var patch = new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [VolumeClaims.SelectedNode] = node } } };
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
