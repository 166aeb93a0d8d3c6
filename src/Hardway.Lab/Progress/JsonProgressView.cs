using System.Text;
using System.Text.Json;
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
        writer.WriteString("seen", finding.Seen);
        writer.WriteNumber("seconds", Math.Round(finding.Elapsed.TotalSeconds, 3));
    });

    public override void Say(string line) => Write(writer => writer.WriteString("message", line));

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
