using System.Security.Cryptography;
using Hardway.Hosting;

namespace Hardway.ApiServer.Configuration;

/// <summary>
/// What is made of a file that may be exchanged while the server runs. Its time of change is looked at once in an interval at most, by
/// whoever asks then; a file that cannot be read or is wrong leaves the last good one in force and is reported. Safe for all threads.
/// </summary>
internal sealed class ReloadedFile<T>
    where T : class
{
    private readonly string _path;
    private readonly Func<string, T> _read;
    private readonly TimeSpan _interval;
    private readonly TimeProvider _time;
    private readonly Action<string>? _report;
    private readonly Lock _reading = new();
    private volatile T _value;
    private DateTime _changed;
    private long _looked;

    /// <param name="path">The file, which must be good at first.</param>
    /// <param name="read">Makes the value of the file at a path.</param>
    /// <param name="interval">How often the file is looked at.</param>
    /// <param name="time">The clock.</param>
    /// <param name="report">Told what was wrong with a new file.</param>
    public ReloadedFile(string path, Func<string, T> read, TimeSpan interval, TimeProvider time, Action<string>? report = null)
    {
        (_path, _read, _interval, _time, _report) = (path, read, interval, time, report);
        _changed = File.GetLastWriteTimeUtc(path);
        _value = read(path);
        _looked = time.GetTimestamp();
    }

    public T Current
    {
        get
        {
            if (_time.GetElapsedTime(Volatile.Read(ref _looked)) >= _interval && _reading.TryEnter())
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

            return _value;
        }
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
            _value = _read(_path);
            _changed = changed;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ComponentException or InvalidDataException)
        {
            // Half-written perhaps: the next look tries again.
            _report?.Invoke(e.Message);
        }
    }
}
