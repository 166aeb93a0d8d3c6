using Hardway.ApiServer.Configuration;
using Hardway.Pki;

namespace Hardway.ApiServer.Authentication;

/// <summary>A file of authorities that may be exchanged while the server runs. Safe for all threads.</summary>
internal sealed class ReloadedTrust(string path, TimeProvider time)
{
    private readonly ReloadedFile<TrustBundle> _file = new(path, p => TrustBundle.Read(p, time), TimeSpan.FromMinutes(1), time);

    public TrustBundle Current() => _file.Current;
}
