using Hardway.Provisioning.Ssh;

namespace Hardway.Provisioning.Remote;

/// <summary>
/// What a machine lacks of all its steps, asked once for all of them in one round trip when the first step checks. Later steps of the same
/// machine use the same answer: no step touches what another one owns.
/// </summary>
internal sealed class MachineSurvey(SshMachine ssh)
{
    private readonly List<RemoteStep> _steps = [];
    private readonly Lock _lock = new();
    private Task<Dictionary<string, MachineDifference>>? _answer;

    public SshMachine Ssh => ssh;

    public void Add(RemoteStep step) => _steps.Add(step);

    public async Task<MachineDifference> OfAsync(RemoteStep step, CancellationToken cancellation)
    {
        Task<Dictionary<string, MachineDifference>> answer;
        lock (_lock)
        {
            answer = _answer ??= AskAsync(cancellation);
        }

        return (await answer.ConfigureAwait(false))[step.Name];
    }

    private async Task<Dictionary<string, MachineDifference>> AskAsync(CancellationToken cancellation)
    {
        var states = _steps.Select(s => (s.Name, s.State)).ToList();
        var result = await ssh.RunAsync("survey", CheckScript.Render(states), cancellation).ConfigureAwait(false);
        return CheckScript.Read(states, result.Output);
    }
}
