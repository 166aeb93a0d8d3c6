using System.Diagnostics;
using System.Text;
using Hardway.Hosting;

namespace Hardway.Provisioning.Ssh;

/// <summary>
/// Runs a program of the jumpbox: an argument list (no shell), bounded output, a time limit. When the limit or the caller's cancellation
/// comes, the process is killed with its children.
/// </summary>
internal static class LocalProcess
{
    public const int DefaultOutputLimit = 4 << 20;

    public static async Task<CommandResult> RunAsync(
        string program,
        IEnumerable<string> arguments,
        Func<Stream, CancellationToken, Task>? input,
        TimeSpan limit,
        CancellationToken cancellation,
        int outputLimit = DefaultOutputLimit,
        IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        var began = Stopwatch.GetTimestamp();
        using var process = Start(start);
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timer.CancelAfter(limit);
        var output = ReadAsync(process.StandardOutput.BaseStream, outputLimit, timer.Token);
        var error = ReadAsync(process.StandardError.BaseStream, outputLimit, timer.Token);
        try
        {
            await FeedAsync(process, input, timer.Token).ConfigureAwait(false);
            await process.WaitForExitAsync(timer.Token).ConfigureAwait(false);
            return new CommandResult(process.ExitCode, await output.ConfigureAwait(false), await error.ConfigureAwait(false), Stopwatch.GetElapsedTime(began));
        }
        catch (OperationCanceledException)
        {
            Kill(process);
            await ((Task)Task.WhenAll(output, error)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellation.ThrowIfCancellationRequested();
            return new CommandResult(-1, Text(output), Text(error), Stopwatch.GetElapsedTime(began), TimedOut: true);
        }
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start) ?? throw new ComponentException($"{start.FileName} did not start");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new ComponentException($"{start.FileName} cannot be run: {e.Message}", e);
        }
    }

    private static async Task FeedAsync(Process process, Func<Stream, CancellationToken, Task>? input, CancellationToken cancellation)
    {
        try
        {
            if (input is not null)
            {
                await input(process.StandardInput.BaseStream, cancellation).ConfigureAwait(false);
            }

            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The program ended without reading all of its input; its exit code and its words say why.
        }
    }

    private static async Task<string> ReadAsync(Stream stream, int limit, CancellationToken cancellation)
    {
        var text = new MemoryStream();
        var buffer = new byte[16384];
        int read;
        while ((read = await stream.ReadAsync(buffer, cancellation).ConfigureAwait(false)) > 0)
        {
            text.Write(buffer, 0, Math.Min(read, (int)Math.Max(0, limit - text.Length)));
        }

        return Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length);
    }

    private static string Text(Task<string> read) => read.IsCompletedSuccessfully ? read.Result : "";

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It ended by itself.
        }
    }
}
