using System.Diagnostics;
using System.Globalization;
using Hardway.EndToEnd;

[assembly: AssemblyFixture(typeof(Hardway.Guide.GuideFixture))]

namespace Hardway.Guide;

/// <summary>
/// Goes through the guide once, block by block, as its reader would, on a lab that nobody else has; module by module as tests ask. The first block that is not as
/// the text says ends it: what follows would stand on sand. While a module is written, HARDWAY_GUIDE_KEEP=1 leaves the lab as it is at the end, and
/// HARDWAY_GUIDE_FROM=02 or =02:301 goes on at that module (its first block, then that line) on a lab left so.
/// </summary>
public sealed class GuideFixture : IAsyncLifetime
{
    /// <summary>Longer than anything in the guide takes, the first lab of a host included; what waits in the text has its own limit.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(6);

    private readonly string[] _from = [.. (Environment.GetEnvironmentVariable("HARDWAY_GUIDE_FROM") ?? "").Split(':'), "0"];
    private readonly Queue<(string Module, IReadOnlyList<GuideBlock> Blocks)> _left = new();
    private JumpboxShell? _shell;
    private string? _failure;

    internal static string Folder { get; } = Path.Combine(ProgramRun.Repository(), "docs/guide");

    /// <summary>Files of the modules, in their order.</summary>
    internal static IReadOnlyList<string> Modules { get; } = [.. Directory.GetFiles(Folder, "0*.md").Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)];

    public ValueTask InitializeAsync()
    {
        foreach (var module in Modules.Where(m => string.CompareOrdinal(m, _from[0]) >= 0))
        {
            var blocks = GuideText.Read(module, File.ReadAllText(Path.Combine(Folder, module)));
            var first = _left.Count == 0 ? int.Parse(_from[1], CultureInfo.InvariantCulture) : 0;
            _left.Enqueue((module, [.. blocks.Where((b, i) => i == 0 || b.Line >= first)]));
        }
        return ValueTask.CompletedTask;
    }

    /// <summary>Runs every block up to the end of a module, as far as earlier calls have not.</summary>
    internal async Task RunThroughAsync(string module)
    {
        if (_failure is not null) Assert.Fail($"not reached: {_failure}");
        _shell ??= Enter();
        while (_left.TryPeek(out var next) && string.CompareOrdinal(next.Module, module) <= 0)
        {
            _left.Dequeue();
            foreach (var block in next.Blocks)
            {
                var began = Stopwatch.GetTimestamp();
                var wrong = await RunAsync(block);
                TestContext.Current.TestOutputHelper?.WriteLine($"{Stopwatch.GetElapsedTime(began).TotalSeconds,6:0.0} s  {block}");
                if (wrong is null) continue;
                _failure = $"{block} was not as the guide says";
                Assert.Fail($"{block} on {string.Join(", ", block.Machines)}:\n{block.Script}\n{wrong}");
            }
        }
    }

    private JumpboxShell Enter()
    {
        const string Cluster = "/var/lib/hardway/clusters/default";
        if (Environment.UserName != "root")
        {
            if (Environment.GetEnvironmentVariable("CI") is { Length: > 0 }) Assert.Fail("the lab needs root");
            Assert.Skip("the lab needs root");
        }
        if (!File.Exists(ProgramRun.Hardway)) Assert.Fail($"{ProgramRun.Hardway} does not exist: run ./hardway build");
        if (_from[0].Length == 0 && Directory.Exists(Cluster)) Assert.Fail($"there is a cluster on this host ({Cluster}), and the guide makes one of its own: take it down first with ./hardway down");
        return new JumpboxShell(ProgramRun.Repository());
    }

    private async Task<string?> RunAsync(GuideBlock block)
    {
        var results = block.Machines is [GuideBlock.Jumpbox]
            ? [await _shell!.RunAsync(block.Script, Limit, TestContext.Current.CancellationToken)]
            : await Task.WhenAll(block.Machines.Select(machine => OnMachineAsync(machine, block.Script)));
        return results.Select(r => r.ExitCode == 0 ? ExpectedOutput.Compare(block.Expected, r.Output) : $"ended with {r.ExitCode}; seen was:\n{r.Output}{r.Error}").FirstOrDefault(wrong => wrong is not null);
    }

    /// <summary>As a reader who logs in and pastes the block into a new shell.</summary>
    private static Task<ProgramResult> OnMachineAsync(string machine, string script)
        => ProgramRun.RunAsync(ProgramRun.Hardway, Limit, ["ssh", machine, $"exec bash -e -c '{script.Replace("'", "'\\''", StringComparison.Ordinal)}' 2>&1"]);

    public async ValueTask DisposeAsync()
    {
        if (_shell is null) return;
        _shell.Dispose();
        if (Environment.GetEnvironmentVariable("HARDWAY_GUIDE_KEEP") is { Length: > 0 }) return;
        var down = await ProgramRun.RunAsync(ProgramRun.Hardway, TimeSpan.FromMinutes(2), ["down"]);
        if (down.ExitCode != 0) throw new InvalidOperationException(down.ToString());
    }
}
