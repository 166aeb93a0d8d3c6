using Hardway.Lab.CommandLine;
using Hardway.Provisioning.Steps;
using Hardway.Provisioning.Verification;
using Spectre.Console;

namespace Hardway.Lab.Progress;

/// <summary>
/// Shows what is going on: a live table (steps by machines, time of each) on a terminal, a line for everything that ended when piped, one JSON object a line
/// with --output json. <see cref="Step"/> and <see cref="Found"/> are called from several tasks.
/// </summary>
internal abstract class ProgressView : IAsyncDisposable
{
    public static ProgressView Create(OutputFormat format, IReadOnlyList<string> machines, TimeProvider time, bool lines = false)
    {
        if (format == OutputFormat.Json) return new JsonProgressView(Console.Out);
        return !lines && AnsiConsole.Profile.Capabilities.Interactive && AnsiConsole.Profile.Capabilities.Ansi && AnsiConsole.Profile.Width >= 80
            ? new LiveProgressView(AnsiConsole.Console, machines, time)
            : new PlainProgressView(Console.Out);
    }

    public abstract void Step(StepEvent value);

    /// <summary>The steps are over; what follows are lines.</summary>
    public virtual Task EndStepsAsync() => Task.CompletedTask;

    public abstract void Found(Finding finding);

    public abstract void Say(string line);

    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
