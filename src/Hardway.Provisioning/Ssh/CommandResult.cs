namespace Hardway.Provisioning.Ssh;

/// <summary>How a command ended. Output is cut at the limit that was given.</summary>
public sealed record CommandResult(int ExitCode, string Output, string Error, TimeSpan Elapsed, bool TimedOut = false)
{
    public bool Succeeded => ExitCode == 0 && !TimedOut;

    /// <summary>One line for a person: what the command said last on stderr, or on stdout, or its exit code.</summary>
    public string Reason => TimedOut
        ? $"no end after {Elapsed.TotalSeconds:0.0} s"
        : LastLine(Error) ?? LastLine(Output) ?? $"exit code {ExitCode}";

    private static string? LastLine(string text)
        => text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).LastOrDefault() is { } line
            ? line.Length <= 300 ? line : line[..300] + "..."
            : null;
}
