namespace Hardway.Storage.Cache;

/// <summary>
/// One question to the store for all who ask at about the same time. Whoever comes while a question is under way waits for the next
/// one, because the one under way may have been answered before he came.
/// </summary>
internal sealed class SharedProbe(Func<Task<long>> ask)
{
    private readonly Lock _gate = new();
    private Task<long>? _running;
    private Task<long>? _next;

    public Task<long> AskAsync(CancellationToken cancellationToken)
    {
        Task<long> answer;
        lock (_gate)
        {
            answer = _running is null ? _running = RunAsync() : _next ??= RunAfterAsync(_running);
        }

        return answer.WaitAsync(cancellationToken);
    }

    private async Task<long> RunAfterAsync(Task before)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        return await RunAsync().ConfigureAwait(false);
    }

    private async Task<long> RunAsync()
    {
        // Leaves the caller's lock before anything is done.
        await Task.Yield();
        try
        {
            return await ask().ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
            {
                _running = _next;
                _next = null;
            }
        }
    }
}
