using System.Diagnostics;

namespace Hardway.Oracle.Tests.Cluster;

/// <summary>A program that runs until it is killed; what it says goes to a file.</summary>
internal sealed class ComponentProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task _log;

    private ComponentProcess(Process process, string logFile)
    {
        (_process, LogFile) = (process, logFile);
        _log = Task.WhenAll(CopyAsync(process.StandardOutput, logFile), CopyAsync(process.StandardError, logFile + ".err"));
    }

    public string LogFile { get; }

    public string? Ended => _process.HasExited ? $"ended with {_process.ExitCode}; see {LogFile} and {LogFile}.err" : null;

    public static ComponentProcess Start(string program, IEnumerable<string> arguments, string logFile)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        // A program that was only built, not published, looks for the framework that runs this test.
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "../../.."));
        return new ComponentProcess(Process.Start(start)!, logFile);
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        await _log;
        _process.Dispose();
    }

    private static async Task CopyAsync(StreamReader from, string to)
    {
        await using var file = File.Create(to);
        await from.BaseStream.CopyToAsync(file);
    }
}
