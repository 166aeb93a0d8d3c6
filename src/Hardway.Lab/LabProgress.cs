using Hardway.Provisioning.Steps;

namespace Hardway.Lab;

/// <summary>
/// Tells one piece of the lab's work in the words of provisioning, so that one view shows both: it is applied, then changed with its time, or failed with its
/// reason. The host itself is the machine without a name.
/// </summary>
internal sealed class LabProgress(Action<StepEvent>? observer, TimeProvider time)
{
    public const string Host = "";

    public async Task<T> RunAsync<T>(string machine, string what, Func<Action<string>, Task<T>> work)
    {
        var start = time.GetTimestamp();
        void Tell(StepState state, string detail) => observer?.Invoke(new StepEvent(what, machine, state, time.GetElapsedTime(start), detail));
        Tell(StepState.Applying, "");
        try
        {
            var result = await work(detail => Tell(StepState.Applying, detail));
            Tell(StepState.Changed, result as string ?? "");
            return result;
        }
        catch (Exception e)
        {
            Tell(StepState.Failed, e is OperationCanceledException ? "interrupted" : e.Message);
            throw;
        }
    }
}
