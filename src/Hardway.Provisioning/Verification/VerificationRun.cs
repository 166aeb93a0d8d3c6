using System.Net.Sockets;
using Hardway.Hosting;

namespace Hardway.Provisioning.Verification;

/// <summary>Collects what looks find and tells each line as soon as it is known, one at a time. A look that fails does not stop the others.</summary>
internal sealed class VerificationRun(Action<Finding> observer, TimeProvider time, CancellationToken cancellation)
{
    private readonly Lock _lock = new();
    private readonly List<Finding> _findings = [];

    /// <summary>Read when every look has ended.</summary>
    public IReadOnlyList<Finding> Findings => _findings;

    public async Task<bool> LookAsync(Module module, string subject, string expected, Func<CancellationToken, Task<Sight>> look)
    {
        var began = time.GetTimestamp();
        Finding finding;
        try
        {
            var sight = await look(cancellation).ConfigureAwait(false);
            finding = new Finding(module, subject, expected, true, sight.Seen, time.GetElapsedTime(began)) { Table = sight.Table };
        }
        catch (Exception e) when (IsAnswer(e) && !cancellation.IsCancellationRequested)
        {
            finding = new Finding(module, subject, expected, false, e is ComponentException ? e.Message : Reasons.Of(e), time.GetElapsedTime(began));
        }

        lock (_lock)
        {
            _findings.Add(finding);
            observer(finding);
        }

        return finding.Good;
    }

    private static bool IsAnswer(Exception e) => e is ComponentException or HttpRequestException or TaskCanceledException or IOException or SocketException
        or System.Text.Json.JsonException or System.Security.Authentication.AuthenticationException;
}
