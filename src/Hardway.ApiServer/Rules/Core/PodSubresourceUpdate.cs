using Hardway.Api;
using Hardway.Api.Core.V1;

namespace Hardway.ApiServer.Rules.Core;

/// <summary>What is written through a Pod's resize and ephemeralcontainers: all else is put back as it was, though its writer now owns it.</summary>
internal static class PodSubresourceUpdate
{
    public static void KeepAllElse(string subresource, Pod value, Pod old)
    {
        var spec = old.Spec.Clone();
        if (subresource == "resize")
        {
            spec.Containers = Resized(value.Spec.Containers, spec.Containers);
            spec.InitContainers = Resized(value.Spec.InitContainers, spec.InitContainers);
        }
        else
        {
            spec.EphemeralContainers = value.Spec.EphemeralContainers;
        }

        var (managed, version, generation) = (value.Metadata.ManagedFields, value.Metadata.ResourceVersion, value.Metadata.Generation);
        value.Spec = spec;
        value.Metadata = old.Metadata.Clone();
        (value.Metadata.ManagedFields, value.Metadata.ResourceVersion, value.Metadata.Generation) = (managed, version, generation);
    }

    /// <summary>The old containers with the new resources; the new ones where containers were added or removed, which validation refuses.</summary>
    private static List<Container>? Resized(List<Container>? now, List<Container>? before)
    {
        if (now?.Count != before?.Count)
        {
            return now;
        }

        for (var i = 0; i < before?.Count; i++)
        {
            before[i].Resources = now![i].Resources;
            before[i].ResizePolicy = now[i].ResizePolicy;
        }

        return before;
    }
}
