using System.Diagnostics;
using System.Text;
using Hardway.EndToEnd;

namespace Hardway.Guide;

/// <summary>The one shell in which a reader sits at the jumpbox: folder, variables and functions live from block to block. A command that fails ends it.</summary>
internal sealed class JumpboxShell : IDisposable
{
    private readonly Process _shell;
    private readonly string _scripts = Directory.CreateTempSubdirectory("hardway-guide-").FullName;
    private int _number;

    public JumpboxShell(string folder)
    {
        var start = new ProcessStartInfo("bash", ["--noprofile", "--norc"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
        start.Environment["PATH"] = Path.GetDirectoryName(ProgramRun.Hardway) + ":" + start.Environment["PATH"];
        start.Environment["LC_ALL"] = "C.UTF-8";
        start.Environment.Remove("KUBECONFIG");
        _shell = Process.Start(start)!;
        _shell.StandardInput.AutoFlush = true;
        _shell.StandardInput.WriteLine("set -e; exec 2>&1");
    }

    public async Task<ProgramResult> RunAsync(string script, TimeSpan limit, CancellationToken cancellation)
    {
        var file = Path.Combine(_scripts, $"{++_number}.sh");
        var end = $"end-of-block-{Guid.NewGuid():N}";
        await File.WriteAllTextAsync(file, script + "\n", cancellation);
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timer.CancelAfter(limit);
        var output = new StringBuilder();
        try
        {
            // Commands must not read the shell's own input.
            await _shell.StandardInput.WriteLineAsync($". {file} </dev/null\nprintf '\\n%s\\n' {end}".AsMemory(), timer.Token);
            while (await _shell.StandardOutput.ReadLineAsync(timer.Token) is { } line)
            {
                if (line == end) return new ProgramResult(script, 0, output.ToString(), "");
                output.Append(line).Append('\n');
            }
            await _shell.WaitForExitAsync(timer.Token);
            return new ProgramResult(script, _shell.ExitCode, output.ToString(), "");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new ProgramResult($"{script}\n(not done after {limit.TotalSeconds:0} s)", -1, output.ToString(), "");
        }
    }

    public void Dispose()
    {
        if (!_shell.HasExited) _shell.Kill(entireProcessTree: true);
        _shell.Dispose();
        Directory.Delete(_scripts, recursive: true);
    }
}
