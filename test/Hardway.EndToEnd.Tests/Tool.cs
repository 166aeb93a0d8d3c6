using System.Diagnostics;
using System.Text;

namespace Hardway.EndToEnd.Tests;

/// <summary>How a program ended.</summary>
internal sealed record Outcome(string Command, int ExitCode, string Output, string Error)
{
    /// <summary>The output of a program that had to succeed.</summary>
    public string Good()
    {
        Assert.True(ExitCode == 0, $"{Command}\nended with {ExitCode}\n{Output}\n{Error}");
        return Output.Trim();
    }
}

/// <summary>Runs the programs that a user would: the launcher's program and kubectl, with a time limit each.</summary>
internal static class Tool
{
    public const string Kubeconfig = "/var/lib/hardway/clusters/default/admin.kubeconfig";

    /// <summary>The published program: named by the test runner, else where the launcher puts it.</summary>
    public static string Program { get; } = Environment.GetEnvironmentVariable("HARDWAY") ?? Path.Combine(Root(), "artifacts", "program", "hardway");

    public static Task<Outcome> HardwayAsync(params string[] arguments) => RunAsync(Program, arguments, null, TimeSpan.FromMinutes(20));

    public static Task<Outcome> KubectlAsync(params string[] arguments) => RunAsync("kubectl", arguments, null, TimeSpan.FromSeconds(90));

    /// <summary>kubectl, which must succeed; its output.</summary>
    public static async Task<string> KubeAsync(params string[] arguments) => (await KubectlAsync(arguments)).Good();

    public static async Task<string> KubeWithInputAsync(string input, params string[] arguments)
        => (await RunAsync("kubectl", arguments, input, TimeSpan.FromSeconds(90))).Good();

    /// <summary>Asks until the answer is good; a time-out tells the last answer.</summary>
    public static async Task EventuallyAsync(string what, TimeSpan limit, Func<Task<(bool Good, string Seen)>> ask)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            var (good, seen) = await ask();
            if (good)
            {
                return;
            }

            Assert.True(Stopwatch.GetElapsedTime(began) < limit, $"{what}: not so after {limit.TotalSeconds:0} s; seen: {seen}");
            await Task.Delay(250, TestContext.Current.CancellationToken);
        }
    }

    public static async Task<Outcome> RunAsync(string program, string[] arguments, string? input, TimeSpan limit)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["KUBECONFIG"] = Kubeconfig;
        using var process = Process.Start(start)!;
        using var timer = new CancellationTokenSource(limit);
        var output = process.StandardOutput.ReadToEndAsync(timer.Token);
        var error = process.StandardError.ReadToEndAsync(timer.Token);
        var command = $"{Path.GetFileName(program)} {string.Join(' ', arguments)}";
        try
        {
            if (input is not null)
            {
                await process.StandardInput.BaseStream.WriteAsync(Encoding.UTF8.GetBytes(input), timer.Token);
            }

            process.StandardInput.Close();
            await process.WaitForExitAsync(timer.Token);
            return new Outcome(command, process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            return new Outcome(command, -1, output.IsCompletedSuccessfully ? output.Result : "", $"no end after {limit.TotalSeconds:0} s");
        }
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Hardway.slnx")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("not inside the repository");
    }
}
