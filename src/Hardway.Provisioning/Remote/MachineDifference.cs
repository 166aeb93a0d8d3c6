using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Remote;

/// <summary>What of a step's state a machine lacks.</summary>
internal sealed record MachineDifference(
    IReadOnlyList<RemoteFile> Files,
    IReadOnlyList<(string Path, string Mode, string Owner)> Folders,
    IReadOnlyList<RemoteSetting> Settings,
    IReadOnlyList<string> StoppedUnits,
    IReadOnlyList<string> DisabledUnits,
    bool Stale,
    IReadOnlySet<string> Absent)
{
    public bool None => Files.Count + Folders.Count + Settings.Count + StoppedUnits.Count + DisabledUnits.Count == 0 && !Stale;

    /// <summary>Whether Apply starts a unit again that runs now, and so takes it away for a moment.</summary>
    public bool Restarts(MachineState state) => (Files.Count > 0 || Stale) && state.Units.Any(u => !StoppedUnits.Contains(u) && !state.Reloads.Contains(u));

    /// <summary>One by one: what Apply makes or changes.</summary>
    public IReadOnlyList<StepItem> Items(MachineState state)
    {
        var restarted = Files.Count > 0 || Stale ? state.Units : StoppedUnits;
        return
        [
            .. Folders.Select(f => new StepItem("folder", f.Path, $"{f.Mode} {f.Owner}")),
            .. Files.Select(f => f.Item(Absent.Contains(f.Path) ? ", new" : ", replaced")),
            .. Settings.Select(s => new StepItem("setting", s.Name, "")),
            .. state.Units.Where(u => restarted.Contains(u) || DisabledUnits.Contains(u)).Select(u => new StepItem(
                "unit", u, string.Join(", ", ((string?[])[DisabledUnits.Contains(u) ? "enabled" : null, StoppedUnits.Contains(u) ? "started" : restarted.Contains(u) ? state.Reloads.Contains(u) ? "reloaded" : "restarted" : null]).OfType<string>()))),
        ];
    }

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
