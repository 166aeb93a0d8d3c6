using System.Globalization;
using Hardway.Api;
using Hardway.Api.Apps.V1;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>
/// The ControllerRevisions of a DaemonSet or StatefulSet: a snapshot of each template it had, numbered. Finds or makes the one of a template; an old
/// one that is used again gets the highest number.
/// </summary>
internal sealed class RevisionHistory<TOwner>(KubeClient client, Informer<ControllerRevision> revisions)
    where TOwner : KubeObject, IApiType<TOwner>, new()
{
    public const string Hash = "controller-revision-hash";
    private readonly Claims<TOwner, ControllerRevision> _claims = new(client);

    /// <summary>The owner's revisions in order of their numbers.</summary>
    public async Task<List<ControllerRevision>> ListAsync(TOwner owner, Selector selector, CancellationToken ct)
    {
        var mine = await _claims.ClaimAsync(owner, selector, revisions.Store.List(owner.Metadata.Namespace), ct);
        return [.. mine.OrderBy(r => r.Revision).ThenBy(r => r.Metadata.CreationTimestamp).ThenBy(r => r.Metadata.Name, StringComparer.Ordinal)];
    }

    /// <summary>The revision of the template, made if need be, always the highest. Null: its name is taken by something else (raise the collision count).</summary>
    public async Task<ControllerRevision?> EnsureAsync(TOwner owner, PodTemplateSpec template, int? collisions, List<ControllerRevision> known, CancellationToken ct)
    {
        var data = Data(template);
        var next = known.Count > 0 ? known[^1].Revision + 1 : 1;
        var bytes = ApiJson.SerializeTree(data);
        var equal = known.LastOrDefault(r => ApiJson.SerializeTree(r.Data).AsSpan().SequenceEqual(bytes)) ?? known.LastOrDefault(r => TemplateOf(r) is { } t && ApiStruct.DeepEquals(t, template));
        if (equal is not null)
        {
            if (ReferenceEquals(equal, known[^1])) return equal;
            var renumbered = equal.Clone();
            renumbered.Revision = next;
            renumbered = await client.UpdateAsync(renumbered, ct);
            known.Remove(equal);
            known.Add(renumbered);
            return renumbered;
        }
        var hash = PodTemplateHash.Of(template, collisions);
        var labels = new Dictionary<string, string>(template.Metadata.Labels ?? [], StringComparer.Ordinal) { [Hash] = hash };
        var revision = new ControllerRevision
        {
            Metadata = new ObjectMeta
            {
                Namespace = owner.Metadata.Namespace,
                Name = string.Create(CultureInfo.InvariantCulture, $"{owner.Metadata.Name}-{hash}"),
                Labels = labels,
                Annotations = owner.Metadata.Annotations is { } annotations ? new Dictionary<string, string>(annotations.Where(a => a.Key != "kubectl.kubernetes.io/last-applied-configuration"), StringComparer.Ordinal) : null,
                OwnerReferences = [OwnerReferences.Controlling(owner)],
            },
            Data = data,
            Revision = next,
        };
        try
        {
            revision = await client.CreateAsync(revision, ct);
            known.Add(revision);
            return revision;
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            var taken = await client.GetAsync<ControllerRevision>(owner.Metadata.Namespace, revision.Metadata.Name, ct);
            return OwnerReferences.IsControlledBy(taken, owner) && ApiJson.SerializeTree(taken.Data).AsSpan().SequenceEqual(bytes) ? taken : null;
        }
    }

    /// <summary>Removes revisions beyond the limit that no Pod has.</summary>
    public async Task CleanupAsync(List<ControllerRevision> known, int limit, ISet<string> used, CancellationToken ct)
    {
        var spare = known.Where(r => !used.Contains(HashOf(r)) && !used.Contains(r.Metadata.Name)).ToList();
        foreach (var revision in spare.Take(Math.Max(0, spare.Count - limit)))
            await client.DeleteAsync<ControllerRevision>(revision.Metadata.Namespace, revision.Metadata.Name, new DeleteOptions { Preconditions = new Preconditions { Uid = revision.Metadata.Uid } }, ct);
    }

    public static string HashOf(ControllerRevision revision) => revision.Metadata.Labels?.GetValueOrDefault(Hash) ?? "";

    /// <summary>The template a revision holds.</summary>
    public static PodTemplateSpec? TemplateOf(ControllerRevision revision)
    {
        if ((revision.Data as Dictionary<string, object?>)?.GetValueOrDefault("spec") is not Dictionary<string, object?> spec || spec.GetValueOrDefault("template") is not Dictionary<string, object?> template) return null;
        var plain = new Dictionary<string, object?>(template, StringComparer.Ordinal);
        plain.Remove("$patch");
        return (PodTemplateSpec)ApiJson.FromTree(PodTemplateSpec.TypeSchema, plain);
    }

    private static Dictionary<string, object?> Data(PodTemplateSpec template)
    {
        var tree = ApiJson.ToTree(template);
        tree["$patch"] = "replace";
        return new Dictionary<string, object?>(StringComparer.Ordinal) { ["spec"] = new Dictionary<string, object?>(StringComparer.Ordinal) { ["template"] = tree } };
    }
}
