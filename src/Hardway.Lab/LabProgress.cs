namespace Hardway.Lab;

/// <summary>Tells one piece of the lab's work: started, then done with its time or failed with its reason.</summary>
internal sealed class LabProgress(IProgress<LabEvent>? sink, TimeProvider time)
{
    public async Task<T> RunAsync<T>(string where, string what, Func<Action<string>, Task<T>> work)
    {
        var start = time.GetTimestamp();
        void Tell(LabEventState state, string detail) => sink?.Report(new LabEvent(where, what, state, time.GetElapsedTime(start), detail));
        Tell(LabEventState.Started, "");
        try
        {
            var result = await work(detail => Tell(LabEventState.Progress, detail));
            Tell(LabEventState.Done, result as string ?? "");
            return result;
        }
        catch (Exception e)
        {
            Tell(LabEventState.Failed, e is OperationCanceledException ? "interrupted" : e.Message);
            throw;
        }
    }
}
