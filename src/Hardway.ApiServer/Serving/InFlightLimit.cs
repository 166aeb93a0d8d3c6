using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Serving;

/// <summary>How many ordinary requests are answered at once; more are told to come again (429). Long-running ones are not counted.</summary>
internal sealed class InFlightLimit(int mostReading, int mostWriting)
{
    private int _reading;
    private int _writing;

    public int Reading => Volatile.Read(ref _reading);

    public int Writing => Volatile.Read(ref _writing);

    public IDisposable Enter(bool reading) => reading ? new Slot(this, true).Take(mostReading) : new Slot(this, false).Take(mostWriting);

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
