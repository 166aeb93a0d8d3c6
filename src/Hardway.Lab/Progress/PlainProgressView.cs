using Hardway.Provisioning.Steps;
using Hardway.Provisioning.Verification;

namespace Hardway.Lab.Progress;

/// <summary>
/// Plain lines: "   1.20 s  node-0     containerd". Steps that were in place already are not told one by one; a step that takes long tells now and then what
/// it waits for.
/// </summary>
internal sealed class PlainProgressView(TextWriter output) : ProgressView
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly Dictionary<(string, string), (TimeSpan At, string Detail)> _told = [];

    public override void Step(StepEvent value)
    {
        lock (_lock)
        {
            if (Line(value) is { } line) output.WriteLine(line);
        }
    }

    public override void Found(Finding finding)
    {
        lock (_lock) output.WriteLine(FindingLine.Of(finding));
    }

    public override void Say(string line)
    {
        lock (_lock) output.WriteLine(line);
    }

    private string? Line(StepEvent value)
    {
        var where = value.Machine.Length == 0 ? "jumpbox" : value.Machine;
        string Ended(string how) => $"{value.Elapsed.TotalSeconds,7:0.00} s  {where,-10} {value.Step}{how}";
        return value.State switch
        {
            StepState.Changed => Ended(""),
            StepState.Failed => Ended(" FAILED: " + value.Detail),
            StepState.Blocked => Ended(" not tried: " + value.Detail),
            StepState.Applying or StepState.Verifying or StepState.Checking when IsNews(value) => $"{value.Elapsed.TotalSeconds,7:0} s  {where,-10} {value.Step}: {value.Detail}",
            _ => null,
        };
    }

    private bool IsNews(StepEvent value)
    {
        var key = (value.Step, value.Machine);
        var last = _told.GetValueOrDefault(key);
        if (value.Detail.Length == 0 || value.Detail == last.Detail || value.Elapsed - last.At < Patience) return false;
        _told[key] = (value.Elapsed, value.Detail);
        return true;
    }
}
