using System.Text;
using System.Text.Json;

namespace Hardway.Lab.CommandLine;

/// <summary>Shows what is going on: a live table on a terminal, a line for everything that ended when piped, objects with --output json.</summary>
internal abstract class ProgressView : IProgress<LabEvent>, IDisposable
{
    public static ProgressView Create(OutputFormat format) => format switch
    {
        OutputFormat.Json => new JsonProgressView(Console.Out),
        _ => new PlainProgressView(Console.Out),
    };

    /// <summary>Called from several tasks.</summary>
    public abstract void Report(LabEvent value);

    public abstract void Finish(string summary);

    public virtual void Dispose()
    {
    }
}

/// <summary>Plain lines: "    1.2 s  node-0     boot". What is under way is told only where it may take long (on the host).</summary>
internal sealed class PlainProgressView(TextWriter output) : ProgressView
{
    private readonly Lock _lock = new();

    public override void Report(LabEvent value)
    {
        if (value.State == LabEventState.Started && value.Where != "host") return;
        var line = value.State switch
        {
            LabEventState.Started => $"           {value.Where,-10} {value.What} ...",
            LabEventState.Progress => $"           {value.Where,-10} {value.What}: {value.Detail}",
            LabEventState.Failed => $"{value.Elapsed.TotalSeconds,7:0.00} s  {value.Where,-10} {value.What} FAILED: {value.Detail}",
            _ => $"{value.Elapsed.TotalSeconds,7:0.00} s  {value.Where,-10} {value.What}{(value.Detail.Length > 0 ? ": " : "")}{value.Detail}",
        };
        lock (_lock) output.WriteLine(line);
    }

    public override void Finish(string summary)
    {
        lock (_lock) output.WriteLine(summary);
    }
}

/// <summary>One JSON object a line.</summary>
internal sealed class JsonProgressView(TextWriter output) : ProgressView
{
    private readonly Lock _lock = new();

    public override void Report(LabEvent value) => Write(writer =>
    {
        writer.WriteString("where", value.Where);
        writer.WriteString("what", value.What);
        writer.WriteString("state", value.State.ToString().ToLowerInvariant());
        writer.WriteNumber("seconds", Math.Round(value.Elapsed.TotalSeconds, 3));
        if (value.Detail.Length > 0) writer.WriteString("detail", value.Detail);
    });

    public override void Finish(string summary) => Write(writer => writer.WriteString("summary", summary));

    private void Write(Action<Utf8JsonWriter> fields)
    {
        var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            fields(writer);
            writer.WriteEndObject();
        }
        lock (_lock) output.WriteLine(Encoding.UTF8.GetString(buffer.ToArray()));
    }
}
