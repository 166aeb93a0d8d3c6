using Hardway.Storage.Encryption;
using Microsoft.Extensions.Logging;

namespace Hardway.ApiServer.Serving;

/// <summary>
/// --encryption-provider-config-automatic-reload: looks at the file each minute and uses what it says now, if that is good and its key
/// management servers answer; else the one of before stays and the reason is logged.
/// </summary>
internal sealed partial class EncryptionReload(string path, TransformingStore store, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMinutes(1);

    /// <param name="known">The file's text that is in force.</param>
    /// <param name="stop">Ends it.</param>
    public async Task RunAsync(string known, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(s_interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop).ConfigureAwait(false))
            {
                known = await LookAsync(known, stop).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to stop.
        }
    }

    /// <summary>The text that is in force afterwards.</summary>
    internal async Task<string> LookAsync(string known, CancellationToken cancellationToken)
    {
        try
        {
            var text = await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false);
            if (text == known)
            {
                return known;
            }

            var model = EncryptionModel.Parse(text, path, time);
            if (await model.HealthAsync(cancellationToken).ConfigureAwait(false) is { } wrong)
            {
                model.Dispose();
                LogKept(log, path, wrong);
                return known;
            }

            store.Use(model);
            LogUsed(log, path);
            return text;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or EncryptionConfigException)
        {
            LogKept(log, path, e.Message);
            return known;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Encryption at rest is as {Path} says now")]
    private static partial void LogUsed(ILogger logger, string path);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Path} changed and is not used: {Reason}")]
    private static partial void LogKept(ILogger logger, string path, string reason);
}
