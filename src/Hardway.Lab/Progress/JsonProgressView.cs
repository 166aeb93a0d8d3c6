using System.Text.Json;
using Hardway.Lab.CommandLine;
using Hardway.Provisioning.Steps;
using Hardway.Provisioning.Verification;

namespace Hardway.Lab.Progress;

/// <summary>One JSON object a line: {"step":...}, {"finding":...} or {"message":...}.</summary>
internal sealed class JsonProgressView(TextWriter output) : ProgressView
{
    private readonly Lock _lock = new();

    public override void Step(StepEvent value) => Write(writer =>
    {
        writer.WriteString("step", value.Step);
        if (value.Machine.Length > 0) writer.WriteString("machine", value.Machine);
        writer.WriteString("state", value.State.ToString().ToLowerInvariant());
        writer.WriteNumber("seconds", Math.Round(value.Elapsed.TotalSeconds, 3));
        if (value.Detail.Length > 0) writer.WriteString("detail", value.Detail);
    });

    public override void Found(Finding finding) => Write(writer =>
    {
        writer.WriteString("finding", finding.Subject);
        writer.WriteBoolean("good", finding.Good);
        writer.WriteNumber("module", (int)finding.Module);
        writer.WriteString("expected", finding.Expected);
        writer.WriteString("seen", finding.Seen);
        JsonText.Strings(writer, "table", finding.Table);
        writer.WriteNumber("seconds", Math.Round(finding.Elapsed.TotalSeconds, 3));
    });

    public override void Say(string line) => Write(writer => writer.WriteString("message", line));

    private void Write(Action<Utf8JsonWriter> fields)
    {
        var line = JsonText.Write(fields);
        lock (_lock) output.WriteLine(line);
    }
}
