using System.Net.Sockets;
using System.Text.Json.Nodes;
using Hardway.Oracle.Tests.Cluster;
using Hardway.Oracle.Tests.Http;

namespace Hardway.Oracle.Tests.Replay;

/// <summary>
/// Plays one scenario: its namespace is made and settled, the steps are sent one after the other, and at the end what it made is deleted.
/// A step fails with one line: where the answer differs first, what was expected and what was found.
/// </summary>
internal sealed class ScenarioReplay : IAsyncDisposable
{
    private static readonly TimeSpan RequestLimit = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    private readonly ControlPlane _plane;
    private readonly Scenario _scenario;
    private readonly Variables _variables = new();
    private readonly HashSet<string> _managers = new(StringComparer.Ordinal) { "replay" };
    private readonly Dictionary<bool, HttpConnection> _connections = [];
    private readonly Dictionary<string, (Step Step, Task<HttpAnswer> Answer, HttpConnection Connection)> _background = new(StringComparer.Ordinal);

    public ScenarioReplay(ControlPlane plane, Scenario scenario)
    {
        (_plane, _scenario) = (plane, scenario);
        _variables.Show("run", plane.Run);
        if (scenario.HasNamespace) _variables.Show("ns", $"{scenario.Name}-{plane.Run}");
        _managers.UnionWith(scenario.Steps.SelectMany(s => s.Managers));
    }

    /// <summary>The steps that failed, and why.</summary>
    public async Task<List<(string Id, string Reason)>> RunAsync(CancellationToken cancellationToken)
    {
        var failures = new List<(string Id, string Reason)>();
        if (_scenario.HasNamespace) await PrepareAsync(cancellationToken);
        foreach (var step in _scenario.Steps)
        {
            if (await ReasonAsync(step, cancellationToken) is { } reason) failures.Add((step.Id, reason));
        }

        await CleanUpAsync(cancellationToken);
        return failures;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections.Values.Concat(_background.Values.Select(b => b.Connection))) await connection.DisposeAsync();
    }

    /// <summary>Null when the step's answer is the recorded one.</summary>
    private async Task<string?> ReasonAsync(Step step, CancellationToken cancellationToken)
    {
        try
        {
            if (step.Pause is { } pause) await Task.Delay(pause, cancellationToken);
            if (step.Start is { } name) return await StartAsync(name, step, cancellationToken);
            if (step.Join is { } started) return await JoinAsync(started, step);
            return step.Wait is { } limit
                ? await WaitAsync(step, limit, cancellationToken)
                : Settle(step, await SendAsync(step, cancellationToken));
        }
        catch (Exception e) when (e is StepFailedException or IOException or SocketException)
        {
            return e.Message;
        }
    }

    private async Task<string?> WaitAsync(Step step, TimeSpan limit, CancellationToken cancellationToken)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var answer = await SendAsync(step, cancellationToken);
            var reason = Compare(step, answer);
            if (reason is null || TimeProvider.System.GetElapsedTime(began) > limit)
            {
                Capture(step, answer);
                return reason is null ? null : $"after {limit.TotalSeconds:0} s: {reason}";
            }

            await Task.Delay(Poll, cancellationToken);
        }
    }

    private async Task<string?> StartAsync(string name, Step step, CancellationToken cancellationToken)
    {
        var connection = _plane.Connect(step.WithCertificate);
        var headersCame = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answer = SendAsync(step, connection, headersCame.SetResult, cancellationToken);
        _background[name] = (step, answer, connection);
        await Task.WhenAny(headersCame.Task, answer);
        return null;
    }

    private async Task<string?> JoinAsync(string name, Step step)
    {
        if (!_background.TryGetValue(name, out var started)) return $"no request called {name} is under way";
        return Settle(step.Over(started.Step), await started.Answer);
    }

    private string? Settle(Step step, HttpAnswer answer)
    {
        var reason = Compare(step, answer);
        Capture(step, answer);
        return reason;
    }

    private string? Compare(Step step, HttpAnswer answer)
        => new AnswerComparison(step, _variables, new Normaliser(_variables, ControlPlane.AdminName, _managers, step.GenerateName(_variables))).Difference(answer);

    private void Capture(Step step, HttpAnswer answer)
    {
        foreach (var (name, pointer) in step.Captures) _variables.Capture(name, pointer, AnswerBody.Decode(step.Path, answer));
    }

    private Task<HttpAnswer> SendAsync(Step step, CancellationToken cancellationToken)
    {
        if (!_connections.TryGetValue(step.WithCertificate, out var connection)) _connections[step.WithCertificate] = connection = _plane.Connect(step.WithCertificate);
        return SendAsync(step, connection, null, cancellationToken);
    }

    private async Task<HttpAnswer> SendAsync(Step step, HttpConnection connection, Action? onHeaders, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(RequestLimit);
        try
        {
            return await connection.SendAsync(step.Method, _variables.ExpandText(step.Path, escape: true), step.Headers(_variables), step.Body(_variables), onHeaders, limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StepFailedException($"no answer within {RequestLimit.TotalSeconds:0} s");
        }
    }

    /// <summary>Makes the namespace and waits for what the controllers put into each.</summary>
    private async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await QuietlyAsync("POST", "/api/v1/namespaces", new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = "${ns}" } }, cancellationToken);
        var began = TimeProvider.System.GetTimestamp();
        foreach (var path in new[] { "serviceaccounts/default", "configmaps/kube-root-ca.crt" })
        {
            while (await QuietlyAsync("GET", $"/api/v1/namespaces/${{ns}}/{path}", null, cancellationToken) != 200)
            {
                if (TimeProvider.System.GetElapsedTime(began) > TimeSpan.FromSeconds(20)) Assert.Fail($"the controllers made no {path} in the scenario's namespace within 20 s; see {_plane.LogFolder}");
                await Task.Delay(Poll, cancellationToken);
            }
        }
    }

    private async Task CleanUpAsync(CancellationToken cancellationToken)
    {
        foreach (var path in _scenario.CleanUp)
        {
            await QuietlyAsync("DELETE", path, path.Contains("/pods", StringComparison.Ordinal) ? new JsonObject { ["gracePeriodSeconds"] = 0 } : null, cancellationToken);
        }

        if (_scenario.HasNamespace) await QuietlyAsync("DELETE", "/api/v1/namespaces/${ns}", null, cancellationToken);
        // Discovery and OpenAPI of the next scenario must not show this one's custom resources.
        var began = TimeProvider.System.GetTimestamp();
        foreach (var path in _scenario.CleanUp.Where(p => p.Contains("/customresourcedefinitions/", StringComparison.Ordinal)))
        {
            while (await QuietlyAsync("GET", path, null, cancellationToken) == 200 && TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(20)) await Task.Delay(Poll, cancellationToken);
        }
    }

    private async Task<int> QuietlyAsync(string method, string path, JsonObject? body, CancellationToken cancellationToken)
    {
        try
        {
            return (await SendAsync(new Step(new JsonObject { ["method"] = method, ["path"] = path, ["body"] = body }), cancellationToken)).Status;
        }
        catch (StepFailedException)
        {
            // A path of a name that no step captured: there is nothing to delete.
            return 0;
        }
    }
}
