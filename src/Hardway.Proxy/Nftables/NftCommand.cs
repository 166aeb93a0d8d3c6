using System.Diagnostics;

namespace Hardway.Proxy.Nftables;

/// <summary>Runs the nft program on a script given by its standard input: one transaction, all or nothing.</summary>
internal sealed class NftCommand(string program = "nft", params string[] prefix)
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(30);

    /// <summary>Null when it worked, else what nft said.</summary>
    public async Task<string?> RunAsync(string script, CancellationToken cancel)
    {
        string[] words = [.. prefix, program, "-f", "-"];
        var start = new ProcessStartInfo(words[0]) { RedirectStandardInput = true, RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var word in words[1..])
        {
            start.ArgumentList.Add(word);
        }

        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        timeout.CancelAfter(s_timeout);
        using var process = Process.Start(start) ?? throw new IOException($"{program} did not start");
        try
        {
            var error = process.StandardError.ReadToEndAsync(timeout.Token);
            var output = process.StandardOutput.ReadToEndAsync(timeout.Token);
            await WriteAsync(process, script, timeout.Token).ConfigureAwait(false);
            await process.WaitForExitAsync(timeout.Token).ConfigureAwait(false);
            var said = (await error.ConfigureAwait(false)) + await output.ConfigureAwait(false);
            return process.ExitCode == 0 ? null : said.Length > 2000 ? said[..2000] : said;
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            cancel.ThrowIfCancellationRequested();
            return $"{program} did not end within {s_timeout.TotalSeconds} s";
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
