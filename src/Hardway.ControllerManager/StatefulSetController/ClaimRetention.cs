using Hardway.Api;
using Hardway.Api.Apps.V1;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>
/// Makes the owners of a StatefulSet's claims what persistentVolumeClaimRetentionPolicy says (KEP-1847), so that the garbage collector does the rest: the set
/// owns them for whenDeleted: Delete, a Pod that is scaled away owns its own for whenScaled: Delete, nobody owns what is retained.
/// </summary>
internal sealed class ClaimRetention(KubeClient client, Informer<PersistentVolumeClaim> claims)
{
    /// <summary>Sets the owners of the claims of one Pod; <paramref name="condemned"/>: it is being scaled away.</summary>
    public async Task ApplyAsync(StatefulSet set, Pod pod, int ordinal, bool condemned, CancellationToken ct)
    {
        foreach (var template in set.Spec.VolumeClaimTemplates ?? [])
        {
            if (claims.Store.Get(pod.Metadata.Namespace, StatefulIdentity.ClaimName(set, template, ordinal)) is not { Metadata.DeletionTimestamp: null } claim) continue;
            if (Owners(set, pod, claim, condemned) is not { } owners) continue;
            var changed = claim.Clone();
            changed.Metadata.OwnerReferences = owners;
            await client.UpdateAsync(changed, ct);
        }
    }

    /// <summary>The owners the claim should have; null: it has them. Owners that are neither the set nor the Pod stay.</summary>
    internal static List<OwnerReference>? Owners(StatefulSet set, Pod pod, PersistentVolumeClaim claim, bool condemned)
    {
        var policy = set.Spec.PersistentVolumeClaimRetentionPolicy;
        var byPod = condemned && policy?.WhenScaled == "Delete";
        var bySet = policy?.WhenDeleted == "Delete" && !byPod;
        var old = claim.Metadata.OwnerReferences ?? [];
        // A namesake of the Pod that was there before owns nothing any more.
        var owners = old.Where(o => o.Uid != set.Metadata.Uid && !(o.Kind == "Pod" && o.Name == pod.Metadata.Name)).ToList();
        var others = owners.Count;
        if (bySet) owners.Add(owners.Exists(o => o.Controller == true) ? Plain(set.ApiVersion, set.Kind, set.Metadata) : OwnerReferences.Controlling(set));
        if (byPod) owners.Add(Plain("v1", "Pod", pod.Metadata));
        if (owners.Count == old.Count && owners.Skip(others).All(n => old.Exists(o => o.Uid == n.Uid))) return null;
        return owners;
    }

    private static OwnerReference Plain(string version, string kind, ObjectMeta owner) => new() { ApiVersion = version, Kind = kind, Name = owner.Name, Uid = owner.Uid };
}
