using Hardway.Api.Meta.V1;

namespace Hardway.Api.FieldManagement;

/// <summary>A field that an apply would take from its owner.</summary>
/// <param name="Owner">As messages name it: "one", or "upd" using v1.</param>
/// <param name="Path">The field, as in .spec.replicas.</param>
public sealed record FieldConflict(string Owner, string Path);

/// <summary>An apply that met fields owned by others.</summary>
public sealed class ApplyConflictException(IReadOnlyList<FieldConflict> conflicts)
    : Exception($"Apply failed with {conflicts.Count} conflict{(conflicts.Count == 1 ? "" : "s")}: " + string.Join("; ", conflicts.Select(c => $"{c.Path} is owned by {c.Owner}")))
{
    public IReadOnlyList<FieldConflict> Conflicts { get; } = conflicts;
}

/// <summary>A configuration that cannot be applied as it is.</summary>
public sealed class ApplyException : Exception
{
    public ApplyException(string message)
        : base(message)
    {
    }

    public ApplyException()
    {
    }

    public ApplyException(string message, Exception inner)
        : base(message, inner)
    {
    }
}

/// <summary>Who writes: the manager's name, the operation, and the subresource written through.</summary>
public sealed record FieldWriter(string Manager, string ApiVersion, string Subresource = "");

/// <summary>
/// Keeps metadata.managedFields (server-side apply, KEP-555) on JSON trees. Stateless. Trees given to it carry managedFields;
/// fields that no one may own (name, uid, resourceVersion, ...) are never recorded.
/// </summary>
public sealed class FieldManager(TimeProvider time)
{
    private const int MaxUpdateManagers = 10;

    private static readonly PathElement s_apiVersion = PathElement.Field("apiVersion");
    private static readonly PathElement s_kind = PathElement.Field("kind");
    private static readonly PathElement s_metadata = PathElement.Field("metadata");
    private static readonly PathElement[] s_unowned = Array.ConvertAll(
        (string[])["name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields", "resourceVersion"], PathElement.Field);

    /// <summary>Records a create or update: the new tree's managedFields are set.</summary>
    /// <param name="live">The stored object, or an empty object of the type for a create.</param>
    /// <param name="updated">The object as it will be stored.</param>
    /// <param name="type">The kind's merge type.</param>
    /// <param name="writer">Who writes.</param>
    /// <param name="reset">Fields that the endpoint ignores (status through the main resource, spec through status).</param>
    public void Update(Dictionary<string, object?> live, Dictionary<string, object?> updated, MergeType type, FieldWriter writer, FieldSet? reset = null)
    {
        var given = ManagedOf(updated);
        if (given is [] or [Dictionary<string, object?> { Count: 0 }])
        {
            // An empty list, or one empty entry, is how a client resets the managers.
            SetManaged(updated, []);
            return;
        }

        var entries = ManagedEntry.ReadAll(given ?? ManagedOf(live));
        Record(entries, Bare(live), Bare(updated), type, writer, reset);
        SetManaged(updated, entries);
    }

    /// <summary>The same for trees without managedFields, which are given and returned as they are in objects; null for none.</summary>
    /// <param name="live">The stored object without managedFields, or an empty object of the type for a create.</param>
    /// <param name="updated">The object as it will be stored, without managedFields.</param>
    /// <param name="managed">Those of the new object, or of the stored one where the new one has none.</param>
    /// <param name="type">The kind's merge type.</param>
    /// <param name="writer">Who writes.</param>
    /// <param name="reset">Fields that the endpoint ignores.</param>
    public List<ManagedFieldsEntry>? Update(Dictionary<string, object?> live, Dictionary<string, object?> updated, List<ManagedFieldsEntry>? managed, MergeType type, FieldWriter writer, FieldSet? reset = null)
    {
        if (managed is [] or [{ Manager: "", Operation: "", ApiVersion: "", FieldsV1: null }])
        {
            return null;
        }

        var entries = ManagedEntry.ReadAll(managed);
        Record(entries, live, updated, type, writer, reset);
        return entries.Count == 0 ? null : ManagedEntry.WriteTyped(entries);
    }

    private void Record(List<ManagedEntry> entries, Dictionary<string, object?> live, Dictionary<string, object?> updated, MergeType type, FieldWriter writer, FieldSet? reset)
    {
        var difference = TreeWalk.Compare(live, updated, type);
        if (reset is not null)
        {
            // What the endpoint ignores does not change, whatever the body says: its owners keep it.
            difference = new TreeDifference(difference.Added.RecursiveDifference(reset), difference.Modified.RecursiveDifference(reset), difference.Removed.RecursiveDifference(reset));
        }

        var changed = difference.Modified.IsEmpty ? difference.Added : difference.Added.IsEmpty ? difference.Modified : difference.Modified.Union(difference.Added);
        var removed = difference.Removed;
        if (reset is not null)
        {
            // What the endpoint ignores is taken from nobody: it will be as it was.
            (changed, removed) = (changed.RecursiveDifference(reset), removed.RecursiveDifference(reset));
        }

        var own = ManagedEntry.Find(entries, writer, "Update");
        TakeFromOthers(entries, own, changed, removed);
        if (own is null || !own.Fields.Covers(changed) || own.Fields.Overlaps(removed))
        {
            var next = own is null ? changed : own.Fields.Difference(removed).Union(changed);
            next = Owned(next);
            if (own is null && !next.IsEmpty)
            {
                entries.Add(new ManagedEntry(writer.Manager, "Update", writer.ApiVersion, writer.Subresource, Now(writer), next));
            }
            else if (own is not null && !own.Fields.SetEquals(next))
            {
                own.Fields = next;
                own.Time = Now(writer);
            }
        }

        entries.RemoveAll(e => e.IsEmpty && e.Operation == "Update");
        CapUpdaters(entries);
    }

    /// <summary>Applies a configuration: the merged object with its managedFields set.</summary>
    /// <param name="live">The stored object, or an empty object of the type.</param>
    /// <param name="isNew">Whether there is no stored object yet.</param>
    /// <param name="config">The applied configuration.</param>
    /// <param name="type">The kind's merge type.</param>
    /// <param name="writer">Who applies.</param>
    /// <param name="force">Take conflicting fields from their owners.</param>
    /// <param name="reset">Fields that the endpoint ignores.</param>
    /// <exception cref="ApplyConflictException">Others own fields that would change, and force is off.</exception>
    /// <exception cref="ApplyException">The configuration's lists have duplicate keys.</exception>
    public Dictionary<string, object?> Apply(Dictionary<string, object?> live, bool isNew, Dictionary<string, object?> config, MergeType type, FieldWriter writer, bool force, FieldSet? reset = null)
    {
        var entries = ManagedEntry.ReadAll(ManagedOf(live));
        if (entries.Count == 0 && !isNew)
        {
            var all = Owned(TreeWalk.Fields(Bare(live), type));
            entries.Add(new ManagedEntry("before-first-apply", "Update", writer.ApiVersion, "", time.GetUtcNow(), all));
        }

        var bareLive = Bare(live);
        var bareConfig = Bare(config);
        var own = ManagedEntry.Find(entries, writer, "Apply");
        var last = own?.Fields;
        var applied = TreeWalk.Fields(bareConfig, type);
        applied = Owned(reset is null ? applied : applied.RecursiveDifference(reset));
        if (own is null)
        {
            entries.Add(own = new ManagedEntry(writer.Manager, "Apply", writer.ApiVersion, writer.Subresource, default, applied));
        }

        own.Fields = applied;

        var merged = (Dictionary<string, object?>)TreeWalk.Merge(bareLive, bareConfig, type)!;
        merged = Prune(merged, entries, last, type);
        var difference = TreeWalk.Compare(bareLive, merged, type);
        var changed = difference.Modified.Union(difference.Added);
        changed = reset is null ? changed : changed.RecursiveDifference(reset);
        if (!force)
        {
            ThrowOnConflicts(entries, own, changed);
        }

        if (!changed.IsEmpty || !difference.Removed.IsEmpty)
        {
            // An entry's time is when its manager last changed the object: one that only takes part in owning it has none.
            own.Time = time.GetUtcNow();
        }

        TakeFromOthers(entries, own, changed, difference.Removed);
        entries.RemoveAll(e => e.IsEmpty);
        SetManaged(merged, entries);
        return merged;
    }

    /// <summary>What is written through scale is recorded without a time, as upstream does.</summary>
    private DateTimeOffset Now(FieldWriter writer) => writer.Subresource == "scale" ? default : time.GetUtcNow();

    /// <summary>Drops what was applied before, is not applied now, and no one else owns.</summary>
    private static Dictionary<string, object?> Prune(Dictionary<string, object?> merged, List<ManagedEntry> entries, FieldSet? last, MergeType type)
    {
        if (last is null || last.IsEmpty)
        {
            return merged;
        }

        var pruned = TreeWalk.Remove(merged, last.WithNamedFields(type), type) as Dictionary<string, object?> ?? [];
        var managed = entries.Aggregate(new FieldSet(), (all, e) => all.Union(e.Fields)).WithNamedFields(type);
        var mergedSet = TreeWalk.Fields(merged, type).WithNamedFields(type);
        var gone = mergedSet.Difference(TreeWalk.Fields(pruned, type).WithNamedFields(type)).Difference(managed);
        pruned = TreeWalk.Remove(merged, gone, type) as Dictionary<string, object?> ?? [];
        // What no one owns and what was not applied before comes back: it was only below something that went.
        gone = mergedSet.Difference(TreeWalk.Fields(pruned, type).WithNamedFields(type)).Intersection(last.WithNamedFields(type));
        return TreeWalk.Remove(merged, gone, type) as Dictionary<string, object?> ?? [];
    }

    private static void ThrowOnConflicts(List<ManagedEntry> entries, ManagedEntry own, FieldSet changed)
    {
        var conflicts = new List<FieldConflict>();
        foreach (var entry in entries.Where(e => e != own))
        {
            var name = $"\"{entry.Manager}\"" + (entry.Subresource.Length > 0 ? $" with subresource \"{entry.Subresource}\"" : "") + (entry.Operation == "Update" ? $" using {entry.ApiVersion}" : "");
            conflicts.AddRange(entry.Fields.Intersection(changed).Paths().Select(p => new FieldConflict(name, p)));
        }

        if (conflicts.Count > 0)
        {
            throw new ApplyConflictException([.. conflicts.OrderBy(c => c.Owner, StringComparer.Ordinal).ThenBy(c => c.Path, StringComparer.Ordinal)]);
        }
    }

    private static void TakeFromOthers(List<ManagedEntry> entries, ManagedEntry? own, FieldSet changed, FieldSet removed)
    {
        if (changed.IsEmpty && removed.IsEmpty)
        {
            return;
        }

        foreach (var entry in entries)
        {
            if (entry != own && (entry.Fields.Overlaps(changed) || entry.Fields.Overlaps(removed)))
            {
                entry.Fields = entry.Fields.Difference(changed).Difference(removed);
            }
        }

        entries.RemoveAll(e => e != own && e.IsEmpty);
    }

    /// <summary>Keeps the number of updaters bounded: the oldest are merged into one.</summary>
    private static void CapUpdaters(List<ManagedEntry> entries)
    {
        var updaters = entries.Where(e => e.Operation == "Update").OrderBy(e => e.Time).ToList();
        for (var surplus = updaters.Count - MaxUpdateManagers; surplus > 0; surplus--)
        {
            var oldest = updaters[0];
            var heir = updaters.FirstOrDefault(u => u.Manager == "ancient-changes" && u != oldest && u.ApiVersion == oldest.ApiVersion) ?? updaters[1];
            heir.Manager = "ancient-changes";
            heir.Fields = heir.Fields.Union(oldest.Fields);
            entries.Remove(oldest);
            updaters.RemoveAt(0);
        }
    }

    /// <summary>Takes away, in place, what nobody may own.</summary>
    private static FieldSet Owned(FieldSet fields)
    {
        fields.Leave();
        fields.Drop(s_apiVersion);
        fields.Drop(s_kind);
        if (fields.Child(s_metadata) is { } metadata)
        {
            // Metadata itself is never owned, only what is in it.
            metadata.Leave();
            foreach (var name in s_unowned)
            {
                metadata.Drop(name);
            }
        }

        return fields;
    }

    private static List<object?>? ManagedOf(Dictionary<string, object?> tree) =>
        (tree.GetValueOrDefault("metadata") as Dictionary<string, object?>)?.GetValueOrDefault("managedFields") as List<object?>;

    /// <summary>The tree without managedFields; the given one is left as it is.</summary>
    private static Dictionary<string, object?> Bare(Dictionary<string, object?> tree)
    {
        if (tree.GetValueOrDefault("metadata") is not Dictionary<string, object?> metadata || !metadata.ContainsKey("managedFields"))
        {
            return tree;
        }

        var bare = new Dictionary<string, object?>(metadata, StringComparer.Ordinal);
        bare.Remove("managedFields");
        return new Dictionary<string, object?>(tree, StringComparer.Ordinal) { ["metadata"] = bare };
    }

    private static void SetManaged(Dictionary<string, object?> tree, List<ManagedEntry> entries)
    {
        var metadata = tree.GetValueOrDefault("metadata") is Dictionary<string, object?> given
            ? new Dictionary<string, object?>(given, StringComparer.Ordinal)
            : new Dictionary<string, object?>(StringComparer.Ordinal);
        metadata.Remove("managedFields");
        if (entries.Count > 0)
        {
            metadata["managedFields"] = ManagedEntry.WriteAll(entries);
        }

        tree["metadata"] = metadata;
    }
}
