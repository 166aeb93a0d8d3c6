namespace Hardway.Provisioning.Steps;

/// <summary>Machines that must not do something at the same time do it one after the other: whoever holds the turn gives it back by disposing it.</summary>
internal sealed class Turns : IDisposable
{
    private readonly SemaphoreSlim _one = new(1);

    public async Task<IDisposable> TakeAsync(CancellationToken cancellation)
    {
        await _one.WaitAsync(cancellation).ConfigureAwait(false);
        return new Turn(_one);
    }

    public void Dispose() => _one.Dispose();

    private sealed class Turn(SemaphoreSlim one) : IDisposable
    {
        public void Dispose() => one.Release();
    }
}
