using System.Formats.Tar;
using System.Text;
using Hardway.Provisioning.Ssh;

namespace Hardway.Provisioning.Remote;

/// <summary>
/// One bash script, with one tar stream as its input, that brings a machine to a step's state:
/// <list type="number">
/// <item>marks the step's units as stale (a file under /run, so a boot forgets it),</item>
/// <item>makes folders,</item>
/// <item>unpacks the files that differ beside their places, sets owners, and moves each over the old one,</item>
/// <item>applies the settings that are not so,</item>
/// <item>reloads systemd if a unit's file changed, enables, starts or restarts the units,</item>
/// <item>marks them as started with these files.</item>
/// </list>
/// Interrupted anywhere, the next check sees what is missing; a half-written file is never in place.
/// </summary>
internal static class ApplyScript
{
    private const string _unitFolder = "/etc/systemd/system/";

    public static string Stamp(string step) => $"/run/hardway/{step}.started-with";

    public static string Render(string step, MachineState state, MachineDifference difference)
    {
        var script = new StringBuilder("set -eu\nexport LC_ALL=C\numask 022\n");
        var files = difference.Files.Where(f => f.Source is null).ToList();
        if (state.Units.Count > 0)
        {
            script.Append("mkdir -p /run/hardway\necho stale >").Append(Stamp(step)).Append('\n');
        }

        foreach (var (path, mode, owner) in difference.Folders)
        {
            var parts = owner.Split(':');
            script.Append("install -d -m ").Append(mode).Append(" -o ").Append(parts[0]).Append(" -g ").Append(parts[1]).Append(' ').Append(SshMachine.Quote(path)).Append('\n');
        }

        Files(script, files);
        foreach (var setting in difference.Settings)
        {
            script.Append("# ").Append(setting.Name.ReplaceLineEndings(" ")).Append('\n').Append(setting.Apply).Append('\n');
        }

        Units(script, state, difference);
        if (state.Units.Count > 0)
        {
            script.Append("echo ").Append(state.Fingerprint).Append(" >").Append(Stamp(step)).Append('\n');
        }

        return script.ToString();
    }

    /// <summary>The tar stream: the files that differ, under their temporary names, with their modes.</summary>
    public static async Task WriteTarAsync(IEnumerable<RemoteFile> files, Stream output, CancellationToken cancellation)
    {
        var writer = new TarWriter(output, TarEntryFormat.Pax, leaveOpen: true);
        await using (writer.ConfigureAwait(false))
        {
            foreach (var file in files)
            {
                var entry = new PaxTarEntry(TarEntryType.RegularFile, file.Temporary.TrimStart('/'))
                {
                    Mode = (UnixFileMode)file.Mode,
                    DataStream = new MemoryStream(file.Content, writable: false),
                };
                await writer.WriteEntryAsync(entry, cancellation).ConfigureAwait(false);
            }
        }
    }

    private static void Files(StringBuilder script, List<RemoteFile> files)
    {
        if (files.Count == 0)
        {
            return;
        }

        var folders = files.Select(f => f.Path[..f.Path.LastIndexOf('/')]).Where(f => f.Length > 0).Distinct();
        script.Append("mkdir -p -- ").AppendJoin(' ', folders.Select(SshMachine.Quote)).Append('\n');
        script.Append("tar -x -p --no-same-owner -C / -f -\n");
        foreach (var group in files.Where(f => f.Owner != "root:root").GroupBy(f => f.Owner))
        {
            script.Append("chown ").Append(group.Key).Append(" -- ").AppendJoin(' ', group.Select(f => SshMachine.Quote(f.Temporary))).Append('\n');
        }

        foreach (var file in files)
        {
            script.Append("mv -fT -- ").Append(SshMachine.Quote(file.Temporary)).Append(' ').Append(SshMachine.Quote(file.Path)).Append('\n');
        }
    }

    private static void Units(StringBuilder script, MachineState state, MachineDifference difference)
    {
        var changedUnits = difference.Files.Where(f => f.Path.StartsWith(_unitFolder, StringComparison.Ordinal)).Select(f => f.Path[_unitFolder.Length..]).ToList();
        if (changedUnits.Count > 0)
        {
            // A reload is the dearest command here. A new unit needs none, but for one that came within the same tick of the folder's clock as another
            // and that systemd, which saw the folder in between, takes for absent.
            script.Append("case \"$(systemctl show -p NeedDaemonReload -p LoadState --value ").AppendJoin(' ', changedUnits.Select(SshMachine.Quote))
                .Append(")\" in *yes* | *not-found*) systemctl daemon-reload;; esac\n");
        }

        if (difference.DisabledUnits.Count > 0)
        {
            script.Append("systemctl enable --quiet --no-reload ").AppendJoin(' ', difference.DisabledUnits.Select(SshMachine.Quote)).Append('\n');
        }

        if (state.Units.Count > 0)
        {
            // --no-block: a unit may wait for one on another machine (etcd for its quorum); the step's verification waits, and can say for what.
            // Running units whose files did not change are left alone: then only what is stopped is started.
            var changed = difference.Files.Count > 0 || difference.Stale;
            var units = changed ? state.Units : difference.StoppedUnits;
            if (units.Count > 0)
            {
                script.Append("systemctl reset-failed ").AppendJoin(' ', units.Select(SshMachine.Quote)).Append(" 2>/dev/null || true\n");
                Begin("restart", units.Where(u => !state.Reloads.Contains(u)));
                // What does not run is started.
                Begin("reload-or-restart", units.Where(state.Reloads.Contains));
            }
        }

        void Begin(string verb, IEnumerable<string> units)
        {
            if (units.Any())
            {
                script.Append("systemctl ").Append(verb).Append(" --no-block ").AppendJoin(' ', units.Select(SshMachine.Quote)).Append('\n');
            }
        }
    }
}
