using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Membership;

/// <summary>One step of a machine's leaving. It is done whenever it is asked for, and does nothing where it was done before.</summary>
internal sealed class LeavingStep(
    string name, string machine, string explain, string expected, Func<StepContext, CancellationToken, Task<string>> act, params IReadOnlyList<string> dependsOn) : Step(name, machine, dependsOn)
{
    private string _seen = "";

    public override string Explain => explain;

    public override string Expected => expected;

    public override IReadOnlyList<StepItem> Contents => [new("member", Machine, Name)];

    public override Task<StepCheck> CheckAsync(StepContext context, CancellationToken cancellation) => Task.FromResult(StepCheck.Missing(Name, Contents));

    public override async Task ApplyAsync(StepContext context, CancellationToken cancellation) => _seen = await act(context, cancellation).ConfigureAwait(false);

    public override Task<string> VerifyAsync(StepContext context, CancellationToken cancellation) => Task.FromResult(_seen);
}
