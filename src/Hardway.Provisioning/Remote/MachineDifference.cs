namespace Hardway.Provisioning.Remote;

/// <summary>What of a step's state a machine lacks.</summary>
internal sealed record MachineDifference(
    IReadOnlyList<RemoteFile> Files,
    IReadOnlyList<(string Path, string Mode, string Owner)> Folders,
    IReadOnlyList<RemoteSetting> Settings,
    IReadOnlyList<string> StoppedUnits,
    IReadOnlyList<string> DisabledUnits,
    bool Stale)
{
    public bool None => Files.Count + Folders.Count + Settings.Count + StoppedUnits.Count + DisabledUnits.Count == 0 && !Stale;

    /// <summary>In one line, for a person.</summary>
    public string Summary
    {
        get
        {
            var parts = new List<string>();
            Add("file", Files.Select(f => f.Path));
            Add("folder", Folders.Select(f => f.Path));
            Add("setting", Settings.Select(s => s.Name));
            Add("stopped", StoppedUnits);
            Add("not enabled", DisabledUnits);
            if (Stale)
            {
                parts.Add("running with older files");
            }

            return string.Join("; ", parts);

            void Add(string what, IEnumerable<string> names)
            {
                var list = names.ToList();
                if (list.Count > 0)
                {
                    parts.Add($"{what} {string.Join(", ", list.Take(4))}{(list.Count > 4 ? $" and {list.Count - 4} more" : "")}");
                }
            }
        }
    }
}
