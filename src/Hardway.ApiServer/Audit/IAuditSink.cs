namespace Hardway.ApiServer.Audit;

/// <summary>Where audit events go. Never makes a request wait: what finds no room is counted and reported.</summary>
internal interface IAuditSink : IAsyncDisposable
{
    /// <param name="line">One event as JSON, with a line's end.</param>
    void Write(ReadOnlyMemory<byte> line);
}

/// <summary>Several sinks as one.</summary>
internal sealed class AuditSinks(IReadOnlyList<IAuditSink> sinks) : IAuditSink
{
    public void Write(ReadOnlyMemory<byte> line)
    {
        foreach (var sink in sinks)
        {
            sink.Write(line);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var sink in sinks)
        {
            await sink.DisposeAsync().ConfigureAwait(false);
        }
    }
}
