using System.Globalization;

namespace Hardway.Hosting;

/// <summary>
/// A program's command line in upstream's syntax: --name=value, --name value, --flag, -v=2; underscores are dashes. The component binds its
/// options once; <see cref="TryParse"/> fills them. An unknown flag is an error; a flag known upstream and without effect here is accepted and
/// reported once in <see cref="Warnings"/>. Not for use by several threads.
/// </summary>
public sealed class FlagSet(string program, string summary)
{
    private readonly SortedDictionary<string, Flag> _flags = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _shorthands = new(StringComparer.Ordinal);
    private readonly HashSet<string> _changed = new(StringComparer.Ordinal);

    public string Program { get; } = program;

    /// <summary>One line per inert flag that was given; log them once logging is set up.</summary>
    public List<string> Warnings { get; } = [];

    /// <summary>Arguments that are no flags. An error unless <see cref="AllowArguments"/>.</summary>
    public List<string> Arguments { get; } = [];

    public bool AllowArguments { get; set; }

    /// <summary>Was the flag given (and not left at its default)?</summary>
    public bool Changed(string name) => _changed.Contains(name);

    public void String(string name, string help, Action<string> set, string @default = "") =>
        Add(new Flag(name, "string", help, @default, value => { set(value); return null; }));

    public void Bool(string name, string help, Action<bool> set, bool @default = false) =>
        Add(new Flag(name, "", help, @default ? "true" : "false", value =>
        {
            if (ParseBool(value) is not { } parsed) return "is not true or false";
            set(parsed);
            return null;
        })
        { BareValue = "true" });

    public void Int(string name, string help, Action<int> set, int @default = 0, int min = int.MinValue, int max = int.MaxValue) =>
        Add(new Flag(name, "int", help, @default.ToString(CultureInfo.InvariantCulture), value =>
        {
            if (!int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var parsed)) return "is not a whole number";
            if (parsed < min || parsed > max) return $"is not between {min} and {max}";
            set(parsed);
            return null;
        }));

    public void Float(string name, string help, Action<double> set, double @default = 0) =>
        Add(new Flag(name, "float", help, @default.ToString(CultureInfo.InvariantCulture), value =>
        {
            if (!double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var parsed)) return "is not a number";
            set(parsed);
            return null;
        }));

    public void Duration(string name, string help, Action<TimeSpan> set, TimeSpan @default = default) =>
        Add(new Flag(name, "duration", help, GoDuration.Format(@default), value =>
        {
            if (!GoDuration.TryParse(value, out var parsed)) return "is not a duration such as 15s, 1m30s or 1h";
            set(parsed);
            return null;
        }));

    /// <summary>Comma separated; given again it adds.</summary>
    public void StringList(string name, string help, Action<List<string>> set, string @default = "")
    {
        List<string> all = [];
        Add(new Flag(name, "strings", help, @default, value =>
        {
            all.AddRange(value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
            set([.. all]);
            return null;
        }));
    }

    /// <summary>key=value pairs, comma separated; given again it adds.</summary>
    public void Map(string name, string help, Action<Dictionary<string, string>> set)
    {
        Dictionary<string, string> all = new(StringComparer.Ordinal);
        Add(new Flag(name, "key=value,...", help, "", value =>
        {
            foreach (var pair in value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                var equals = pair.IndexOf('=');
                if (equals <= 0) return $"has \"{pair}\", which is not key=value";
                all[pair[..equals].Trim()] = pair[(equals + 1)..].Trim();
            }
            set(new Dictionary<string, string>(all, StringComparer.Ordinal));
            return null;
        }));
    }

    /// <summary>A flag of another shape: <paramref name="apply"/> returns what is wrong with the value, or null.</summary>
    public void Custom(string name, string type, string help, Func<string, string?> apply, string @default = "") =>
        Add(new Flag(name, type, help, @default, apply));

    /// <summary>Upstream flags that are accepted and have no effect here. Booleans need the list of <see cref="InertBools"/>: they take no following value.</summary>
    public void Inert(params ReadOnlySpan<string> names)
    {
        foreach (var name in names) Add(new Flag(name, "string", "(accepted, has no effect here)", "", _ => null) { Inert = true });
    }

    public void InertBools(params ReadOnlySpan<string> names)
    {
        foreach (var name in names) Add(new Flag(name, "", "(accepted, has no effect here)", "", _ => null) { Inert = true, BareValue = "true" });
    }

    public void Shorthand(char letter, string name) => _shorthands[letter.ToString()] = name;

    /// <summary>
    /// Fills the options. False: the program must end with <paramref name="exitCode"/>; help, version or the one line that says what is wrong
    /// has been written.
    /// </summary>
    public bool TryParse(ReadOnlySpan<string> args, TextWriter output, TextWriter error, out int exitCode)
    {
        exitCode = 0;
        for (var i = 0; i < args.Length; i++)
        {
            var arg = args[i];
            if (arg is "--help" or "-h" && !_flags.ContainsKey("help")) { WriteHelp(output); return false; }
            if (arg is "--version" or "--version=true" && !_flags.ContainsKey("version")) { output.WriteLine($"Kubernetes {HardwayVersion.GitVersion}"); return false; }
            if (arg == "--")
            {
                Arguments.AddRange(args[(i + 1)..]);
                break;
            }
            if (arg.Length < 2 || arg[0] != '-') { Arguments.Add(arg); continue; }
            if (ParseOne(args, ref i) is { } problem) return Fail(error, problem, out exitCode);
        }
        if (Arguments.Count > 0 && !AllowArguments) return Fail(error, $"unexpected argument \"{Arguments[0]}\": flags are written --name=value", out exitCode);
        return true;
    }

    public void WriteHelp(TextWriter output)
    {
        output.WriteLine(summary);
        output.WriteLine();
        output.WriteLine($"Usage: {Program} [flags]");
        output.WriteLine();
        foreach (var flag in _flags.Values)
        {
            var head = flag.Type.Length > 0 ? $"--{flag.Name} {flag.Type}" : $"--{flag.Name}";
            var tail = flag.Default is "" or "false" or "0" or "0s" ? "" : $" (default {flag.Default})";
            output.WriteLine($"  {head,-52} {flag.Help}{tail}");
        }
        output.WriteLine($"  {"--help",-52} show this and end");
        output.WriteLine($"  {"--version",-52} show the version and end");
    }

    private string? ParseOne(ReadOnlySpan<string> args, ref int i)
    {
        var arg = args[i];
        var text = arg.TrimStart('-');
        var equals = text.IndexOf('=');
        var given = equals < 0 ? text : text[..equals];
        if (arg.StartsWith("--", StringComparison.Ordinal) is false && !_shorthands.TryGetValue(given, out given!)) return $"unknown shorthand flag \"{arg}\"; {Program} --help lists all";
        var name = given.Replace('_', '-');
        if (!_flags.TryGetValue(name, out var flag)) return $"unknown flag --{given}; {Program} --help lists all";
        string value;
        if (equals >= 0) value = text[(equals + 1)..];
        else if (flag.BareValue is { } bare) value = bare;
        else if (i + 1 < args.Length) value = args[++i];
        else return $"flag --{name} needs a value: --{name}={flag.Type}";
        if (flag.Inert && _changed.Add(name)) Warnings.Add($"flag --{name} is accepted and has no effect here");
        _changed.Add(name);
        return flag.Apply(value) is { } wrong ? $"flag --{name}: \"{value}\" {wrong}" : null;
    }

    private bool Fail(TextWriter error, string problem, out int exitCode)
    {
        error.WriteLine($"{Program}: {problem}");
        exitCode = 1;
        return false;
    }

    private void Add(Flag flag)
    {
        if (!_flags.TryAdd(flag.Name, flag)) throw new InvalidOperationException($"flag --{flag.Name} is bound twice");
    }

    private static bool? ParseBool(string text) => text switch
    {
        "true" or "True" or "TRUE" or "1" or "t" or "T" => true,
        "false" or "False" or "FALSE" or "0" or "f" or "F" => false,
        _ => null,
    };
}
