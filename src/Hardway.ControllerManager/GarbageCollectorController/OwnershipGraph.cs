using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>
/// Who owns whom, over all resources. Fed by metadata informers; tells through <see cref="ToDelete"/> and <see cref="ToOrphan"/> which objects must be
/// looked at. One lock; callbacks run inside it and only put UIDs into queues.
/// </summary>
internal sealed class OwnershipGraph
{
    public const string ForegroundFinalizer = "foregroundDeletion";
    public const string OrphanFinalizer = "orphan";

    private readonly Lock _gate = new();
    private readonly Dictionary<string, GraphNode> _nodes = new(StringComparer.Ordinal);

    /// <summary>An object whose owners must be checked.</summary>
    public required Action<string> ToDelete { get; init; }

    /// <summary>An object that goes away and leaves its dependents behind.</summary>
    public required Action<string> ToOrphan { get; init; }

    /// <summary>Finds the resource of an owner reference's kind; null when the server has none.</summary>
    public required Func<string, string, ApiResource?> ResourceOf { get; init; }

    public int Count { get { lock (_gate) return _nodes.Count; } }

    public void Observe(ApiResource resource, ObjectMeta meta)
    {
        lock (_gate)
        {
            var isNew = !_nodes.TryGetValue(meta.Uid, out var node) || node.IsVirtual;
            node ??= _nodes[meta.Uid] = new GraphNode(meta.Uid);
            (node.Resource, node.Namespace, node.Name, node.IsVirtual) = (resource, meta.Namespace, meta.Name, false);
            var lostBlocker = UpdateOwners(node, meta.OwnerReferences ?? []);
            var wasDeleted = node.IsBeingDeleted;
            node.IsBeingDeleted = meta.DeletionTimestamp is not null;
            if (node.IsBeingDeleted) ObserveDeletion(node, meta, wasDeleted && !isNew);
            if (isNew && node.Owners.Count > 0 || lostBlocker) ToDelete(node.Uid);
        }
    }

    public void Forget(string uid)
    {
        lock (_gate)
        {
            if (!_nodes.Remove(uid, out var node)) return;
            foreach (var owner in node.Owners)
            {
                if (!_nodes.TryGetValue(owner.Uid, out var above)) continue;
                above.Dependents.Remove(node);
                if (above.IsDeletingDependents) ToDelete(above.Uid);
                if (above.IsVirtual && above.Dependents.Count == 0) _nodes.Remove(above.Uid);
            }
            foreach (var dependent in node.Dependents) ToDelete(dependent.Uid);
        }
    }

    /// <summary>A copy of the node and its dependents, for a worker.</summary>
    public (GraphNode Node, List<GraphNode> Dependents)? Snapshot(string uid)
    {
        lock (_gate)
        {
            if (!_nodes.TryGetValue(uid, out var node)) return null;
            return (node, [.. node.Dependents]);
        }
    }

    public bool Has(string uid)
    {
        lock (_gate) return _nodes.TryGetValue(uid, out var node) && !node.IsVirtual;
    }

    /// <summary>Where an object that an informer has shown is; null: none has.</summary>
    public string? NamespaceOf(string uid)
    {
        lock (_gate) return _nodes.TryGetValue(uid, out var node) && !node.IsVirtual ? node.Namespace : null;
    }

    private void ObserveDeletion(GraphNode node, ObjectMeta meta, bool known)
    {
        if (meta.Finalizers?.Contains(ForegroundFinalizer) == true)
        {
            if (!node.IsDeletingDependents)
            {
                node.IsDeletingDependents = true;
                foreach (var dependent in node.Dependents) ToDelete(dependent.Uid);
            }
            ToDelete(node.Uid);
        }
        if (!known && meta.Finalizers?.Contains(OrphanFinalizer) == true) ToOrphan(node.Uid);
    }

    /// <summary>True when a reference that may block an owner's deletion changed: the object must be looked at.</summary>
    private bool UpdateOwners(GraphNode node, List<OwnerReference> owners)
    {
        var changed = false;
        foreach (var gone in node.Owners.Where(o => !owners.Exists(n => n.Uid == o.Uid)).ToList())
        {
            if (!_nodes.TryGetValue(gone.Uid, out var above)) continue;
            above.Dependents.Remove(node);
            if (above.IsDeletingDependents) ToDelete(above.Uid);
        }
        foreach (var added in owners.Where(o => !node.Owners.Exists(n => n.Uid == o.Uid)))
        {
            changed = true;
            if (!_nodes.TryGetValue(added.Uid, out var above))
            {
                _nodes[added.Uid] = above = new GraphNode(added.Uid) { IsVirtual = true, Name = added.Name };
                above.Resource = ResourceOf(added.ApiVersion, added.Kind);
                above.Namespace = above.Resource?.Namespaced == true ? node.Namespace : "";
                ToDelete(added.Uid);
            }
            above.Dependents.Add(node);
        }
        foreach (var owner in owners)
        {
            var before = node.Owners.Find(o => o.Uid == owner.Uid);
            if (before is not null && before.BlockOwnerDeletion == true && owner.BlockOwnerDeletion != true && _nodes.TryGetValue(owner.Uid, out var above) && above.IsDeletingDependents) ToDelete(above.Uid);
        }
        node.Owners = owners;
        return changed;
    }
}
