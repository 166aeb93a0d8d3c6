using System.Globalization;
using System.Text;
using Hardway.Hosting;
using Hardway.Provisioning.Ssh;

namespace Hardway.Provisioning.Remote;

/// <summary>
/// One bash script that asks a machine everything about any number of steps in one round trip, and the reader of its answer.
/// It changes nothing. Lines: <c>d TIME</c>, <c>h HASH PATH</c>, <c>m MODE OWNER PATH</c>, <c>u UNIT ACTIVE ENABLED</c>, <c>s STEP STAMP</c>, <c>t STEP INDEX 0|1</c>.
/// </summary>
internal static class CheckScript
{
    public static string Render(IReadOnlyList<(string Step, MachineState State)> steps)
    {
        var script = new StringBuilder("export LC_ALL=C\ndate '+d %s.%N'\n");
        var files = steps.SelectMany(s => s.State.Files).Select(f => f.Path).Distinct().ToList();
        var paths = files.Concat(steps.SelectMany(s => s.State.Folders).Select(f => f.Path)).Distinct().ToList();
        var units = steps.SelectMany(s => s.State.Units).Distinct().ToList();
        if (files.Count > 0)
        {
            script.Append("sha256sum -z -- ").Append(Words(files)).Append(" 2>/dev/null | tr '\\0' '\\n' | sed 's/^/h /'\n");
        }

        if (paths.Count > 0)
        {
            script.Append("stat -L --printf 'm %a %U:%G %n\\n' -- ").Append(Words(paths)).Append(" 2>/dev/null\n");
        }

        if (units.Count > 0)
        {
            // One `systemctl show` for all: blocks of three lines, an empty line between.
            script.Append("systemctl show --property=Id,ActiveState,UnitFileState -- ").Append(Words(units))
                .Append(" 2>/dev/null | { i=; a=; f=; p() { [ -z \"$i\" ] || echo \"u $i ${a:-?} ${f:-?}\"; i=; a=; f=; }; "
                    + "while IFS= read -r l; do case $l in Id=*) i=${l#*=};; ActiveState=*) a=${l#*=};; UnitFileState=*) f=${l#*=};; '') p;; esac; done; p; }\n");
        }

        foreach (var (step, state) in steps)
        {
            if (state.Units.Count > 0)
            {
                script.Append("echo \"s ").Append(step).Append(" $(cat ").Append(SshMachine.Quote(ApplyScript.Stamp(step))).Append(" 2>/dev/null)\"\n");
            }

            for (var i = 0; i < state.Settings.Count; i++)
            {
                script.Append("if ( ").Append(state.Settings[i].Test).Append("\n) >/dev/null 2>&1 </dev/null; then echo t ").Append(step).Append(' ').Append(i)
                    .Append(" 1; else echo t ").Append(step).Append(' ').Append(i).Append(" 0; fi\n");
            }
        }

        return script.Append("echo end\n").ToString();
    }

    public static string? TimeOf(string output) => output.Split('\n', 2)[0] is ['d', ' ', .. var time] ? time : null;

    public static Dictionary<string, MachineDifference> Read(IReadOnlyList<(string Step, MachineState State)> steps, string output)
    {
        var answer = new Answer(output);
        return steps.ToDictionary(s => s.Step, s => answer.Compare(s.Step, s.State));
    }

    private static string Words(IEnumerable<string> words) => string.Join(' ', words.Select(SshMachine.Quote));

    private sealed class Answer
    {
        private readonly Dictionary<string, string> _hashes = [];
        private readonly Dictionary<string, (string Mode, string Owner)> _modes = [];
        private readonly Dictionary<string, (string Active, string Enabled)> _units = [];
        private readonly Dictionary<string, string> _stamps = [];
        private readonly HashSet<(string Step, int Index)> _good = [];

        public Answer(string output)
        {
            var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            if (lines.LastOrDefault() != "end")
            {
                throw new ComponentException("the machine's answer to the check is cut short");
            }

            foreach (var line in lines)
            {
                Read(line.Split(' '), line);
            }
        }

        public MachineDifference Compare(string step, MachineState state)
        {
            var stamp = _stamps.GetValueOrDefault(step, "");
            return new MachineDifference(
                [.. state.Files.Where(f => _hashes.GetValueOrDefault(f.Path) != f.Hash || !Has(f.Path, f.ModeText, f.Owner))],
                [.. state.Folders.Where(f => !Has(f.Path, f.Mode, f.Owner))],
                [.. state.Settings.Where((_, i) => !_good.Contains((step, i)))],
                [.. state.Units.Where(u => _units.GetValueOrDefault(u).Active is not ("active" or "activating" or "reloading"))],
                [.. state.Units.Where(u => _units.GetValueOrDefault(u).Enabled is not ("enabled" or "static" or "alias"))],
                // No stamp: the machine booted since, and the units started with what is there.
                state.Units.Count > 0 && stamp.Length > 0 && stamp != state.Fingerprint,
                state.Files.Select(f => f.Path).Where(p => !_hashes.ContainsKey(p)).ToHashSet());
        }

        private bool Has(string path, string mode, string owner)
            => _modes.TryGetValue(path, out var found) && found.Mode == mode && (found.Owner == owner || owner.Length == 0);

        private void Read(string[] words, string line)
        {
            switch (words[0])
            {
                case "h" when words.Length >= 4:
                    _hashes[line[(words[1].Length + 4)..]] = words[1];
                    break;
                case "m" when words.Length >= 4:
                    _modes[line[(words[1].Length + words[2].Length + 4)..]] = (words[1], words[2]);
                    break;
                case "u" when words.Length >= 4:
                    _units[words[1]] = (words[2], words[3]);
                    break;
                case "s" when words.Length >= 3:
                    _stamps[words[1]] = words[2];
                    break;
                case "t" when words.Length >= 4 && words[3] == "1":
                    _good.Add((words[1], int.Parse(words[2], CultureInfo.InvariantCulture)));
                    break;
            }
        }
    }
}
