using System.Text;

namespace Hardway.Provisioning.Doctor;

/// <summary>What systemd says of one unit.</summary>
internal sealed record UnitFacts(string Active, string Enabled, long FileLimit, string Command)
{
    public bool IsActive => Active is "active" or "activating" or "reloading";

    /// <summary>The value of a flag of its command (--name=value or --name value); null when it is not given.</summary>
    public string? Flag(string name)
    {
        var words = Command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i < words.Length; i++)
        {
            if (words[i].StartsWith(name + "=", StringComparison.Ordinal))
            {
                return words[i][(name.Length + 1)..].Trim('\'', '"');
            }

            if (words[i] == name && i + 1 < words.Length)
            {
                return words[i + 1];
            }
        }

        return null;
    }
}

/// <summary>What one machine answered to all the questions (<see cref="MachineQuestions"/>), by key.</summary>
internal sealed class MachineFacts
{
    private readonly Dictionary<string, string> _facts = [];

    public MachineFacts(IEnumerable<KeyValuePair<string, string>> facts, IReadOnlyDictionary<string, UnitFacts> units)
    {
        foreach (var (key, value) in facts)
        {
            _facts[key] = value;
        }

        Units = units;
    }

    public IReadOnlyDictionary<string, UnitFacts> Units { get; }

    /// <summary>How far the machine's clock is from this computer's, at least: half of the question's way is taken off.</summary>
    public TimeSpan ClockOffset { get; init; }

    public string Text(string key) => _facts.GetValueOrDefault(key, "");

    public IReadOnlyList<string> Lines(string key) => Text(key).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Reads <c>KEY BASE64</c> lines.</summary>
    public static MachineFacts Parse(string output, TimeSpan clockOffset)
    {
        var facts = new Dictionary<string, string>();
        foreach (var line in output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split(' ');
            var value = new byte[words[^1].Length];
            if (words.Length == 2 && Convert.TryFromBase64String(words[1], value, out var length))
            {
                facts[words[0]] = Encoding.UTF8.GetString(value, 0, length).TrimEnd('\n');
            }
        }

        return new MachineFacts(facts, UnitsOf(facts.GetValueOrDefault("units", ""))) { ClockOffset = clockOffset };
    }

    /// <summary>`systemctl show`: blocks of Name=Value, an empty line between.</summary>
    private static Dictionary<string, UnitFacts> UnitsOf(string text)
    {
        var units = new Dictionary<string, UnitFacts>();
        foreach (var block in text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            var fields = block.Split('\n').Select(l => l.Split('=', 2)).Where(p => p.Length == 2).GroupBy(p => p[0]).ToDictionary(g => g.Key, g => g.Last()[1]);
            var command = fields.GetValueOrDefault("ExecStart", "");
            var begin = command.IndexOf("argv[]=", StringComparison.Ordinal);
            var end = command.IndexOf(" ; ignore_errors", StringComparison.Ordinal);
            units[fields.GetValueOrDefault("Id", "").Replace(".service", "", StringComparison.Ordinal)] = new UnitFacts(
                fields.GetValueOrDefault("ActiveState", "?"),
                fields.GetValueOrDefault("UnitFileState", ""),
                long.TryParse(fields.GetValueOrDefault("LimitNOFILE"), out var limit) ? limit : long.MaxValue,
                begin >= 0 && end > begin ? command[(begin + 7)..end] : command);
        }

        return units;
    }
}
