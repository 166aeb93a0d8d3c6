namespace Hardway.Dns.Serving;

/// <summary>Owns the tasks that are started beside a receive loop: at most so many at once, and all of them awaited when the loop ends. Any thread.</summary>
internal sealed class BoundedTasks(int max) : IDisposable
{
    private readonly SemaphoreSlim _slots = new(max);

    public bool TryEnter() => _slots.Wait(0, CancellationToken.None);

    public Task EnterAsync(CancellationToken cancel) => _slots.WaitAsync(cancel);

    public void Exit() => _slots.Release();

    /// <summary>Completes when everything that entered has left. Nothing may enter afterwards.</summary>
    public async Task DrainAsync()
    {
        for (var i = 0; i < max; i++)
        {
            await _slots.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    public void Dispose() => _slots.Dispose();
}
