using System.Diagnostics;

namespace Hardway.Proxy;

/// <summary>
/// Runs nft, iptables-restore and their like: the script goes to standard input, one transaction a call. <paramref name="prefix"/> is put in
/// front of every command (tests: "ip netns exec NAME").
/// </summary>
internal sealed class RuleCommand(params string[] prefix)
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(30);
    private const int CharactersASecond = 100_000;

    /// <summary>A script for nft. Null when it worked, else what nft said.</summary>
    public async Task<string?> NftAsync(string script, CancellationToken cancel)
    {
        var (code, output) = await RunAsync(["nft", "-f", "-"], script, cancel).ConfigureAwait(false);
        return code == 0 ? null : output;
    }

    /// <summary>Exit code, and both outputs together (at most 2,000 characters of an error).</summary>
    public async Task<(int Code, string Output)> RunAsync(string[] command, string script, CancellationToken cancel)
    {
        string[] words = [.. prefix, .. command];
        var start = new ProcessStartInfo(words[0]) { RedirectStandardInput = true, RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var word in words[1..])
        {
            start.ArgumentList.Add(word);
        }

        var limit = s_timeout + TimeSpan.FromSeconds(script.Length / CharactersASecond);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        timeout.CancelAfter(limit);
        using var process = Process.Start(start) ?? throw new IOException($"{words[0]} did not start");
        try
        {
            var error = process.StandardError.ReadToEndAsync(timeout.Token);
            var output = process.StandardOutput.ReadToEndAsync(timeout.Token);
            await WriteAsync(process, script, timeout.Token).ConfigureAwait(false);
            await process.WaitForExitAsync(timeout.Token).ConfigureAwait(false);
            var said = (await error.ConfigureAwait(false)) + await output.ConfigureAwait(false);
            return (process.ExitCode, process.ExitCode != 0 && said.Length > 2000 ? said[..2000] : said);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            cancel.ThrowIfCancellationRequested();
            return (-1, $"{command[0]} did not end within {limit.TotalSeconds} s");
        }
    }

    private static async Task WriteAsync(Process process, string script, CancellationToken cancel)
    {
        try
        {
            await process.StandardInput.WriteAsync(script.AsMemory(), cancel).ConfigureAwait(false);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // it ended before it read everything: its exit code and what it wrote tell why
        }
    }
}
