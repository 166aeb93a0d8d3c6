using System.Security.Cryptography;
using System.Text;

namespace Hardway.ApiServer.Configuration;

/// <summary>Answers of a webhook, kept for a while under the digest of what was asked (a token is a secret). Bounded, safe for all threads.</summary>
internal sealed class AnswerCache<T>(TimeProvider time)
{
    private const int Most = 4096;
    private readonly Dictionary<string, (T Answer, long At, TimeSpan Life)> _known = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    public static string KeyOf(ReadOnlySpan<byte> asked) => Convert.ToHexString(SHA256.HashData(asked));

    public static string KeyOf(string asked) => KeyOf(Encoding.UTF8.GetBytes(asked));

    public bool TryGet(string key, out T? answer)
    {
        lock (_gate)
        {
            if (_known.TryGetValue(key, out var found) && time.GetElapsedTime(found.At) < found.Life)
            {
                answer = found.Answer;
                return true;
            }
        }

        answer = default;
        return false;
    }

    public void Put(string key, T answer, TimeSpan life)
    {
        if (life <= TimeSpan.Zero)
        {
            return;
        }

        lock (_gate)
        {
            if (_known.Count >= Most)
            {
                foreach (var (old, _) in _known.Where(k => time.GetElapsedTime(k.Value.At) >= k.Value.Life).ToList())
                {
                    _known.Remove(old);
                }
            }

            if (_known.Count >= Most)
            {
                _known.Clear();
            }

            _known[key] = (answer, time.GetTimestamp(), life);
        }
    }
}
