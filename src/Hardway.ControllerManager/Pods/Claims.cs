using System.Text.Json.Nodes;
using Hardway.Api;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>
/// Which dependents belong to an owner: those that name it as controller. One that does not match the selector any more is released, one
/// without controller that matches is adopted (after looking at the live owner: it must not be going away).
/// </summary>
internal sealed class Claims<TOwner, T>(KubeClient client)
    where TOwner : KubeObject, IApiType<TOwner>, new()
    where T : KubeObject, IApiType<T>, new()
{
    public async Task<List<T>> ClaimAsync(TOwner owner, Selector selector, IEnumerable<T> candidates, CancellationToken ct, Func<T, bool>? adoptable = null)
    {
        List<T> mine = [];
        bool? mayAdopt = null;
        foreach (var candidate in candidates)
        {
            var controller = OwnerReferences.ControllerOf(candidate);
            var matches = selector.Matches(candidate.Metadata.Labels);
            if (controller is not null)
            {
                if (controller.Uid != owner.Metadata.Uid) continue;
                if (matches) mine.Add(candidate);
                else if (owner.Metadata.DeletionTimestamp is null) await ReleaseAsync(owner, candidate, ct);
                continue;
            }
            if (!matches || owner.Metadata.DeletionTimestamp is not null || candidate.Metadata.DeletionTimestamp is not null || adoptable?.Invoke(candidate) == false) continue;
            mayAdopt ??= await IsLiveAsync(owner, ct);
            if (mayAdopt == true && await AdoptAsync(owner, candidate, ct) is { } adopted) mine.Add(adopted);
        }
        return mine;
    }

    private async Task<bool> IsLiveAsync(TOwner owner, CancellationToken ct) =>
        await client.TryGetAsync<TOwner>(owner.Metadata.Namespace, owner.Metadata.Name, ct) is { } live && live.Metadata.Uid == owner.Metadata.Uid && live.Metadata.DeletionTimestamp is null;

    private async Task<T?> AdoptAsync(TOwner owner, T candidate, CancellationToken ct)
    {
        var reference = ApiJson.ToTree(OwnerReferences.Controlling(owner));
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = candidate.Metadata.Uid, ["ownerReferences"] = new JsonArray(JsonNode.Parse(ApiJson.SerializeTree(reference))) } };
        return await PatchAsync(candidate, patch, ct);
    }

    private Task<T?> ReleaseAsync(TOwner owner, T candidate, CancellationToken ct)
    {
        var drop = new JsonObject { ["$patch"] = "delete", ["uid"] = owner.Metadata.Uid };
        return PatchAsync(candidate, new JsonObject { ["metadata"] = new JsonObject { ["uid"] = candidate.Metadata.Uid, ["ownerReferences"] = new JsonArray(drop) } }, ct);
    }

    private async Task<T?> PatchAsync(T candidate, JsonObject patch, CancellationToken ct)
    {
        try
        {
            return await client.PatchAsync<T>(candidate.Metadata.Namespace, candidate.Metadata.Name, PatchType.StrategicMerge, System.Text.Encoding.UTF8.GetBytes(patch.ToJsonString()), ct);
        }
        catch (ApiException e) when (e.IsNotFound || e.IsInvalid || e.IsConflict)
        {
            // Gone, or another object of that name by now, or somebody else's already: not ours, and no error.
            return null;
        }
    }
}
