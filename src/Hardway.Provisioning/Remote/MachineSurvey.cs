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

    /// <summary>When the machine was asked, by its own clock, as find and date write it; null before. Nothing that steps do to it is older.</summary>
    public string? Began { get; private set; }

    public void Add(RemoteStep step) => _steps.Add(step);

    /// <summary>Forgets the other steps: they are not part of this run. Before the first question.</summary>
    public void Keep(Func<RemoteStep, bool> wanted) => _steps.RemoveAll(s => !wanted(s));

    /// <summary>The files that the settings of some steps write, whether these were applied or not.</summary>
    public IEnumerable<string> SettingsOf(IEnumerable<string> steps)
    {
        var names = steps.ToHashSet();
        return _steps.Where(s => names.Contains(s.Name)).SelectMany(s => s.State.Settings).SelectMany(s => s.Touches);
    }

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
        Began = CheckScript.TimeOf(result.Output);
        return CheckScript.Read(states, result.Output);
    }
}
