using System.Diagnostics;

namespace Hardway.EndToEnd;

/// <summary>What a program said and how it ended.</summary>
internal sealed record ProgramResult(string CommandLine, int ExitCode, string Output, string Error)
{
    public override string ToString() => $"'{CommandLine}' ended with {ExitCode}\n{Tail(Output)}{Tail(Error)}";

    private static string Tail(string text) => text.Length <= 4000 ? text : "..." + text[^4000..];
}

/// <summary>Runs programs as a user would, with a limit; a program that does not end is killed and what it said until then is in the message.</summary>
internal static class ProgramRun
{
    /// <summary>The published program: what `./hardway test` built, or what lies in artifacts from the last ./hardway build.</summary>
    public static string Hardway { get; } = Environment.GetEnvironmentVariable("HARDWAY") is { Length: > 0 } named ? named : Path.Combine(Repository(), "artifacts/program/hardway");

    /// <summary>Fails the test when the program does not end with 0.</summary>
    public static async Task<string> HardwayAsync(TimeSpan limit, params string[] arguments)
    {
        var result = await RunAsync(Hardway, limit, arguments);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Output;
    }

    /// <summary>kubectl through the program, so with the kubeconfig of the cluster.</summary>
    public static Task<string> KubectlAsync(params string[] arguments) => HardwayAsync(TimeSpan.FromSeconds(120), ["kubectl", .. arguments]);

    public static Task<ProgramResult> TryKubectlAsync(params string[] arguments) => RunAsync(ProgramRun.Hardway, TimeSpan.FromSeconds(120), ["kubectl", .. arguments]);

    public static async Task<ProgramResult> RunAsync(string program, TimeSpan limit, string[] arguments, string? input = null, (string Name, string Value)? variable = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        if (variable is var (name, value)) start.Environment[name] = value;
        var line = string.Join(' ', arguments.Prepend(Path.GetFileName(program)));
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        if (input is not null) await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timer.CancelAfter(limit);
        try
        {
            await process.WaitForExitAsync(timer.Token);
            return new ProgramResult(line, process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            return new ProgramResult(line + $" (killed after {limit.TotalSeconds:0} s)", -1, await output, await error);
        }
    }

    /// <summary>Asks a system outside until it is so; at the limit the message says what was seen last.</summary>
    public static async Task<string> EventuallyAsync(string what, TimeSpan limit, Func<Task<ProgramResult>> ask, Func<string, bool> isSo)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            var seen = await ask();
            if (seen.ExitCode == 0 && isSo(seen.Output)) return seen.Output;
            if (Stopwatch.GetElapsedTime(began) > limit) Assert.Fail($"{what}: not so after {limit.TotalSeconds:0} s; seen: {seen}");
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }
    }

    internal static string Repository()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Hardway.slnx"))) folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("not below a checkout");
        return folder;
    }
}
