using Hardway.Oracle.Tests.Cluster;
using Hardway.Oracle.Tests.Replay;

namespace Hardway.Oracle.Tests;

/// <summary>
/// What a Kubernetes 1.36 API server answered, asked of ours. scenarios/ has the requests and the answers (without the wording of messages: that is ours).
/// </summary>
public sealed class OracleTests(ControlPlane plane)
{
    public static TheoryData<string> Scenarios => [.. Scenario.Names];

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task Every_step_is_answered_as_recorded(string scenario)
    {
        await using var replay = new ScenarioReplay(plane, Scenario.Load(scenario));
        var failures = await replay.RunAsync(TestContext.Current.CancellationToken);
        Assert.True(failures.Count == 0, string.Join('\n', failures.Select(f => $"{scenario} {f.Id} {f.Reason}")));
    }
}
