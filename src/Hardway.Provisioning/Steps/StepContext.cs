using Hardway.Hosting;

namespace Hardway.Provisioning.Steps;

/// <summary>What a running step may tell: what it is waiting for.</summary>
public sealed class StepContext(Action<string> report, TimeProvider time)
{
    private static readonly TimeSpan _first = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan _slowest = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan _long = TimeSpan.FromSeconds(5);

    public void Report(string detail) => report(detail);

    /// <summary>
    /// Asks until the answer is null (good); else the answer says what is seen now. An error (the API does not answer for a moment) is something seen, too. When it takes long, <paramref name="cause"/> finds out why,
    /// and what it found is in the message of the failure.
    /// </summary>
    public async Task<string> WaitAsync(
        string what,
        Func<CancellationToken, Task<string?>> ask,
        TimeSpan limit,
        Func<CancellationToken, Task<string>>? cause,
        CancellationToken cancellation)
    {
        var began = time.GetTimestamp();
        var pause = _first;
        var found = "";
        var asked = false;
        while (await AskAsync(ask, cancellation).ConfigureAwait(false) is { } seen)
        {
            var waited = time.GetElapsedTime(began);
            if (waited > _long && !asked && cause is not null)
            {
                asked = true;
                found = await cause(cancellation).ConfigureAwait(false);
            }

            if (waited > limit)
            {
                found = cause is null ? "" : await cause(cancellation).ConfigureAwait(false);
                throw new ComponentException($"{what}: not so after {waited.TotalSeconds:0} s; seen: {seen}{(found.Length > 0 ? $"; cause: {found}" : "")}");
            }

            Report($"waiting for {what}: {seen}{(found.Length > 0 ? $" ({found})" : "")}");
            await Task.Delay(pause, time, cancellation).ConfigureAwait(false);
            pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 3 / 2, _slowest.Ticks));
        }

        return $"{what}: so after {time.GetElapsedTime(began).TotalSeconds:0.0} s";
    }

    private static async Task<string?> AskAsync(Func<CancellationToken, Task<string?>> ask, CancellationToken cancellation)
    {
        try
        {
            return await ask(cancellation).ConfigureAwait(false);
        }
        catch (ComponentException e)
        {
            return e.Message;
        }
    }
}
