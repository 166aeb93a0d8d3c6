namespace Hardway.Client;

/// <summary>A token in a file that rotates (a mounted service account): read again every ten seconds.</summary>
internal sealed class FileTokenSource(string path, TimeProvider time) : ITokenSource
{
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(10);
    private readonly Lock _gate = new();
    private string? _token;
    private long _readAt;

    public ValueTask<string?> GetAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_token is null || time.GetElapsedTime(_readAt) >= _interval)
            {
                _token = File.ReadAllText(path).Trim();
                _readAt = time.GetTimestamp();
            }
            return ValueTask.FromResult<string?>(_token);
        }
    }

    public void Invalidate()
    {
        lock (_gate) _token = null;
    }
}

/// <summary>A token that does not change.</summary>
internal sealed class FixedTokenSource(string token) : ITokenSource
{
    public ValueTask<string?> GetAsync(CancellationToken cancellationToken) => ValueTask.FromResult<string?>(token);

    public void Invalidate() { }
}
