using System.Security.Cryptography;
using Hardway.Pki;

namespace Hardway.ApiServer.Authentication;

/// <summary>
/// A file of authorities that may be exchanged while the server runs. Its time of change is looked at once a minute at most, by the
/// request that comes then; a file that cannot be read leaves the last good one in force. Safe for all threads.
/// </summary>
internal sealed class ReloadedTrust
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMinutes(1);

    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly Lock _reading = new();
    private volatile TrustBundle _bundle;
    private DateTime _changed;
    private long _looked;

    public ReloadedTrust(string path, TimeProvider time)
    {
        _path = path;
        _time = time;
        _changed = File.GetLastWriteTimeUtc(path);
        _bundle = TrustBundle.Read(path, time);
        _looked = time.GetTimestamp();
    }

    public TrustBundle Current()
    {
        if (_time.GetElapsedTime(Volatile.Read(ref _looked)) >= s_interval && _reading.TryEnter())
        {
            try
            {
                Look();
            }
            finally
            {
                _reading.Exit();
            }
        }

        return _bundle;
    }

    private void Look()
    {
        Volatile.Write(ref _looked, _time.GetTimestamp());
        var changed = File.GetLastWriteTimeUtc(_path);
        if (changed == _changed)
        {
            return;
        }

        try
        {
            _bundle = TrustBundle.Read(_path, _time);
            _changed = changed;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            // Half-written perhaps: the next look tries again.
        }
    }
}
