using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Http;

namespace Hardway.ApiServer.Registry;

/// <summary>Owner references that stand twice are kept once, with a warning.</summary>
internal static class Owners
{
    public static List<OwnerReference>? Dedup(List<OwnerReference>? owners, RequestContext? context)
    {
        if (owners is null or { Count: < 2 })
        {
            return owners;
        }

        var kept = new List<OwnerReference>();
        foreach (var owner in owners)
        {
            if (kept.Find(o => Hardway.Api.ApiStruct.DeepEquals(o, owner)) is null)
            {
                kept.Add(owner);
            }
            else
            {
                context?.Warn($".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: {owner.Uid}");
            }
        }

        return kept;
    }
}
