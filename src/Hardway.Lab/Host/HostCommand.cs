using System.Diagnostics;
using System.Runtime.InteropServices;
using Hardway.Hosting;

namespace Hardway.Lab.Host;

/// <summary>What a program of the host said and how it ended.</summary>
internal sealed record CommandResult(int ExitCode, string Output, string Error)
{
    /// <summary>The last line that says something: what the programs used here put their reason in.</summary>
    public string Reason =>
        (Error.Length > 0 ? Error : Output).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? "no message";
}

/// <summary>
/// Runs the host's own programs (ip, nft, mount, systemd-nspawn, mmdebstrap): an argument list, never a shell line. A cancelled call kills the
/// program and its children before it returns, so nothing goes on behind the caller's back.
/// </summary>
internal static class HostCommand
{
    /// <summary>Runs to the end; a non-zero exit is a <see cref="ComponentException"/> that names the command and its reason.</summary>
    public static async Task<string> RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellation, string? input = null,
        IReadOnlyDictionary<string, string>? environment = null)
    {
        var result = await TryAsync(program, arguments, cancellation, input, environment);
        if (result.ExitCode == 0) return result.Output;
        throw new ComponentException($"'{Show(program, arguments)}' ended with {result.ExitCode}: {result.Reason}");
    }

    public static async Task<CommandResult> TryAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellation, string? input = null,
        IReadOnlyDictionary<string, string>? environment = null, Action<string>? onErrorLine = null)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        using var process = Start(start);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellation);
            var error = ReadErrorAsync(process.StandardError, onErrorLine, cancellation);
            if (input is not null) await process.StandardInput.WriteAsync(input.AsMemory(), cancellation);
            process.StandardInput.Close();
            await Task.WhenAll(output, error);
            await process.WaitForExitAsync(cancellation);
            return new CommandResult(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            await KillAsync(process);
            throw;
        }
    }

    /// <summary>Runs with the caller's terminal (ssh, kubectl) and returns its exit code.</summary>
    public static async Task<int> InteractiveAsync(string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(program);
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        // Ctrl-C is for the program in front; it decides whether it ends.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true);
        using var process = Start(start);
        await process.WaitForExitAsync(cancellation);
        return process.ExitCode;
    }

    /// <summary>Where the host's PATH (and the sbin folders, which a user's PATH may lack) has a program.</summary>
    public static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Concat(["/usr/sbin", "/sbin", "/usr/bin", "/bin"])
            .Where(Path.IsPathRooted).Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    private static Process Start(ProcessStartInfo start)
    {
        var path = Find(start.FileName) ?? throw new ComponentException($"the program '{start.FileName}' is not on this host");
        start.FileName = path;
        start.Environment["LC_ALL"] = "C.UTF-8";
        return Process.Start(start) ?? throw new ComponentException($"'{path}' did not start");
    }

    private static async Task<string> ReadErrorAsync(StreamReader reader, Action<string>? onLine, CancellationToken cancellation)
    {
        if (onLine is null) return await reader.ReadToEndAsync(cancellation);
        var lines = new List<string>();
        while (await reader.ReadLineAsync(cancellation) is { } line)
        {
            lines.Add(line);
            onLine(line);
        }
        return string.Join('\n', lines);
    }

    private static async Task KillAsync(Process process)
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync(CancellationToken.None);
    }

    private static string Show(string program, IReadOnlyList<string> arguments)
    {
        var line = string.Join(' ', arguments.Prepend(program));
        return line.Length <= 160 ? line : line[..157] + "...";
    }
}
