using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Serving;

/// <summary>How many ordinary requests are answered at once; more are told to come again (429). Long-running ones are not counted.</summary>
internal sealed class InFlightLimit(int mostReading, int mostWriting)
{
    private int _reading;
    private int _writing;

    public int Reading => Volatile.Read(ref _reading);

    public int Writing => Volatile.Read(ref _writing);

    /// <param name="reading">A request that changes nothing.</param>
    /// <param name="isBound">False for one that is only counted.</param>
    public IDisposable Enter(bool reading, bool isBound = true) => new Slot(this, reading).Take(isBound ? reading ? mostReading : mostWriting : 0);

    private sealed class Slot(InFlightLimit owner, bool reading) : IDisposable
    {
        public Slot Take(int most)
        {
            var now = reading ? Interlocked.Increment(ref owner._reading) : Interlocked.Increment(ref owner._writing);
            if (most > 0 && now > most)
            {
                Dispose();
                throw Statuses.TooManyRequests("Too many requests, please try again later.");
            }

            return this;
        }

        public void Dispose() => _ = reading ? Interlocked.Decrement(ref owner._reading) : Interlocked.Decrement(ref owner._writing);
    }
}
