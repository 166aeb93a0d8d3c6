using System.Security.Cryptography;
using System.Text;
using Hardway.Api.Coordination.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Serving;
using Hardway.Storage;
using Microsoft.Extensions.Logging;

namespace Hardway.ApiServer.Bootstrap;

/// <summary>
/// Says which API servers there are: each keeps a Lease in kube-system that it renews every ten seconds (KEP-1965). Leases that ran out belong to
/// servers that have gone; whoever sees one deletes it.
/// </summary>
internal sealed partial class ServerIdentity(ApiServices services)
{
    private const string Ns = "kube-system";
    private const string Label = "apiserver.kubernetes.io/identity";
    private const int Seconds = 3600;
    private static readonly TimeSpan s_renew = TimeSpan.FromSeconds(10);
    private readonly string _name = NameOf(Environment.MachineName);
    private readonly string _instance = Guid.NewGuid().ToString();
    private readonly ILogger _log = services.Logs.CreateLogger("identity");

    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await TryOnceAsync(stop).ConfigureAwait(false);
                await Task.Delay(s_renew, services.Time, stop).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The Lease runs out by itself.
        }
    }

    private async Task TryOnceAsync(CancellationToken cancellationToken)
    {
        try
        {
            await RenewAsync(cancellationToken).ConfigureAwait(false);
            await DeleteExpiredAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is StoreException or ApiException)
        {
            LogFailed(_log, e.Message);
        }
    }

    private async Task RenewAsync(CancellationToken cancellationToken)
    {
        var now = services.Time.GetUtcNow();
        if (services.Reader.Get<Lease>(Ns, _name) is null)
        {
            await services.Writer.CreateAsync(Renewed(new Lease { Metadata = { Name = _name, Namespace = Ns } }, now), cancellationToken).ConfigureAwait(false);
            return;
        }

        await services.Writer.UpdateAsync<Lease>(Ns, _name, lease => Renewed(lease, now), cancellationToken).ConfigureAwait(false);
    }

    private Lease Renewed(Lease lease, DateTimeOffset now)
    {
        lease.Metadata.Labels = new(lease.Metadata.Labels ?? [], StringComparer.Ordinal) { [Label] = "kube-apiserver", ["kubernetes.io/hostname"] = Environment.MachineName };
        lease.Spec.HolderIdentity = _name + "_" + _instance;
        lease.Spec.LeaseDurationSeconds = Seconds;
        lease.Spec.RenewTime = now;
        return lease;
    }

    private async Task DeleteExpiredAsync(CancellationToken cancellationToken)
    {
        var now = services.Time.GetUtcNow();
        foreach (var lease in services.Reader.List<Lease>(Ns))
        {
            if (lease.Metadata.Labels?.GetValueOrDefault(Label) == "kube-apiserver" && lease.Spec.RenewTime is { } renewed && renewed.AddSeconds(lease.Spec.LeaseDurationSeconds ?? Seconds) < now)
            {
                await services.Writer.DeleteAsync<Lease>(Ns, lease.Metadata.Name, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>A name that a machine always has: of the host's name a hash, in letters and digits.</summary>
    private static string NameOf(string host)
    {
        const string Letters = "abcdefghijklmnopqrstuvwxyz234567";
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(host));
        return "apiserver-" + string.Concat(Enumerable.Range(0, 26).Select(i => Letters[hash[i] % Letters.Length]));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "This server's identity Lease could not be renewed: {Reason}")]
    private static partial void LogFailed(ILogger logger, string reason);
}
