using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace Hardway.Hosting;

/// <summary>
/// The frame of every program: parse flags, turn SIGTERM and SIGINT into the stop token (a second signal ends at once), run, and turn what
/// went wrong into one line and an exit code: 0 done, 1 failed or bad command line, 130 ended by a second signal.
/// </summary>
public static partial class Applet
{
    public static async Task<int> RunAsync(FlagSet flags, string[] args, ComponentLog logs, Func<CancellationToken, Task<int>> body, CancellationToken stop)
    {
        if (!flags.TryParse(args, Console.Out, Console.Error, out var code)) return code;
        var log = logs.CreateLogger(flags.Program);
        foreach (var warning in flags.Warnings) LogFlagWarning(log, warning);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var signals = 0;
        void OnSignal(PosixSignalContext context)
        {
            context.Cancel = true;
            if (Interlocked.Increment(ref signals) > 1) Environment.Exit(130);
            LogSignal(log, context.Signal);
            stopping.Cancel();
        }
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        try
        {
            return await body(stopping.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return 0;
        }
        catch (ComponentException e)
        {
            LogFailed(log, e.Message);
            return 1;
        }
        catch (Exception e)
        {
            LogCrashed(log, e);
            return 1;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Warning}")]
    private static partial void LogFlagWarning(ILogger logger, string warning);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Signal} received, stopping")]
    private static partial void LogSignal(ILogger logger, PosixSignal signal);

    [LoggerMessage(Level = LogLevel.Critical, Message = "{Reason}")]
    private static partial void LogFailed(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Critical, Message = "ended by an error that nobody handled")]
    private static partial void LogCrashed(ILogger logger, Exception exception);
}
