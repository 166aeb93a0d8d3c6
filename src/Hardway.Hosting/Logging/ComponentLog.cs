using Microsoft.Extensions.Logging;

namespace Hardway.Hosting;

/// <summary>
/// A component's log: plain lines to one writer (stderr, where journald picks them up), in the field's familiar shape
/// "I1122 20:17:05.123456 category] message". --v=0..3 shows Information, 4 and 5 Debug, 6 and more Trace. Safe for all threads.
/// </summary>
public sealed class ComponentLog : ILoggerFactory
{
    private readonly TextWriter _writer;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private volatile int _verbosity;

    public ComponentLog(int verbosity = 0, TextWriter? writer = null, TimeProvider? time = null)
    {
        _verbosity = verbosity;
        _writer = writer ?? Console.Error;
        _time = time ?? TimeProvider.System;
    }

    public int Verbosity { get => _verbosity; set => _verbosity = value; }

    /// <summary>The logging flags every upstream component has.</summary>
    public void AddFlags(FlagSet flags)
    {
        flags.Int("v", "number for the log level verbosity", v => Verbosity = v, min: 0);
        flags.Shorthand('v', "v");
        flags.Custom("logging-format", "string", "format of the log: only text", v => v == "text" ? null : "is not a format of this log: only text", "text");
        flags.Inert("vmodule", "log-flush-frequency", "log-text-info-buffer-size", "log-json-info-buffer-size");
        flags.InertBools("log-text-split-stream", "log-json-split-stream");
    }

    public ILogger CreateLogger(string categoryName)
    {
        var dot = categoryName.LastIndexOf('.');
        var foreign = categoryName.StartsWith("Microsoft.", StringComparison.Ordinal) || categoryName.StartsWith("System.", StringComparison.Ordinal);
        return new LineLogger(this, dot < 0 ? categoryName : categoryName[(dot + 1)..], foreign ? LogLevel.Warning : LogLevel.Trace);
    }

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("a component's log has one writer");

    public void Dispose() => _writer.Flush();

    private LogLevel Minimum => _verbosity switch { <= 3 => LogLevel.Information, <= 5 => LogLevel.Debug, _ => LogLevel.Trace };

    private void Write(LogLevel level, string category, string message, Exception? exception)
    {
        var mark = level switch { LogLevel.Trace or LogLevel.Debug or LogLevel.Information => 'I', LogLevel.Warning => 'W', LogLevel.Error => 'E', _ => 'F' };
        var line = $"{mark}{_time.GetUtcNow():MMdd HH:mm:ss.ffffff} {category}] {message.ReplaceLineEndings(" ")}";
        lock (_gate)
        {
            _writer.WriteLine(line);
            if (exception is not null) _writer.WriteLine(_verbosity >= 4 || exception is not (IOException or HttpRequestException or ComponentException or OperationCanceledException)
                ? $"{line[..line.IndexOf(']')]}] {exception}" : $"{line[..line.IndexOf(']')]}] {exception.GetType().Name}: {exception.Message}");
            _writer.Flush();
        }
    }

    private sealed class LineLogger(ComponentLog log, string category, LogLevel floor) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None && logLevel >= floor && logLevel >= log.Minimum;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel)) log.Write(logLevel, category, formatter(state, exception), exception);
        }
    }
}
