using System.Text;
using Hardway.Provisioning.Ssh;

namespace Hardway.Provisioning.Remote;

/// <summary>
/// The bash script that takes a step's state away: stops and disables its units, removes its files, and folders that are empty then. What the
/// programs stored themselves (etcd's data, images) stays.
/// </summary>
internal static class UndoScript
{
    public static string Render(string step, MachineState state)
    {
        var script = new StringBuilder("set -u\nexport LC_ALL=C\n");
        foreach (var unit in state.Units.Select(SshMachine.Quote))
        {
            script.Append("systemctl disable --quiet --now ").Append(unit).Append(" 2>/dev/null || true\n");
        }

        if (state.Files.Count > 0)
        {
            script.Append("rm -f -- ").AppendJoin(' ', state.Files.Select(f => SshMachine.Quote(f.Path))).Append('\n');
        }

        foreach (var folder in state.Folders.AsEnumerable().Reverse())
        {
            script.Append("rmdir --ignore-fail-on-non-empty -- ").Append(SshMachine.Quote(folder.Path)).Append(" 2>/dev/null || true\n");
        }

        if (state.Units.Count > 0)
        {
            script.Append("rm -f ").Append(ApplyScript.Stamp(step)).Append("\nsystemctl daemon-reload\n");
        }

        return script.ToString();
    }
}
