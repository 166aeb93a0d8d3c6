using Hardway.Oracle.Tests.Cluster;
using Hardway.Oracle.Tests.Replay;

namespace Hardway.Oracle.Tests;

/// <summary>
/// What a Kubernetes 1.36 API server answered, asked of ours. scenarios/ has the requests and the answers (without the wording of messages: that is ours).
/// known/ lists the steps that are known to fail, one file a scenario: a listed step that passes fails the test, so the lists can only become shorter.
/// </summary>
public sealed class OracleTests(ControlPlane plane)
{
    public static TheoryData<string> Scenarios => [.. Scenario.Names];

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task Every_step_is_answered_as_recorded(string scenario)
    {
        var loaded = Scenario.Load(scenario);
        await using var replay = new ScenarioReplay(plane, loaded);
        var failures = await replay.RunAsync(TestContext.Current.CancellationToken);
        var failed = failures.Select(f => f.Id).ToHashSet(StringComparer.Ordinal);
        await File.WriteAllLinesAsync(Path.Combine(plane.LogFolder, scenario + ".txt"), failures.OrderBy(f => f.Id, StringComparer.Ordinal).Select(f => f.Id), TestContext.Current.CancellationToken);
        foreach (var (id, reason) in failures.Where(f => loaded.KnownFailures.Contains(f.Id))) TestContext.Current.TestOutputHelper?.WriteLine($"{scenario} {id} {reason}");
        List<string> wrong =
        [
            .. failures.Where(f => !loaded.KnownFailures.Contains(f.Id)).Select(f => $"{scenario} {f.Id} {f.Reason}"),
            .. loaded.KnownFailures.Except(failed).Order(StringComparer.Ordinal).Select(id => $"{scenario} {id} is listed in known/{scenario}.txt and passes: delete its line there"),
        ];
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }
}
