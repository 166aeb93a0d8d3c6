using Hardway.Provisioning.Steps;
using Hardway.Provisioning.Verification;
using Spectre.Console;

namespace Hardway.Lab.Progress;

/// <summary>
/// A table that redraws itself: a row a step, in the order in which steps were first heard of, a column a machine, and in each cell how that goes. Below it, what is
/// being waited for longest. One task draws, ten times a second; it is awaited at the end.
/// </summary>
internal sealed class LiveProgressView : ProgressView
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly IAnsiConsole _console;
    private readonly TimeProvider _time;
    private readonly IReadOnlyList<string> _columns;
    private readonly Lock _lock = new();
    private readonly List<string> _steps = [];
    private readonly Dictionary<(string Step, string Machine), (StepEvent Event, long At)> _last = [];
    private readonly CancellationTokenSource _end = new();
    private readonly Task _drawing;
    private readonly long _start;

    public LiveProgressView(IAnsiConsole console, IReadOnlyList<string> machines, TimeProvider time)
    {
        _console = console;
        _time = time;
        _columns = ["", .. machines];
        _start = time.GetTimestamp();
        _drawing = DrawAsync();
    }

    public override void Step(StepEvent value)
    {
        lock (_lock)
        {
            if (!_steps.Contains(value.Step)) _steps.Add(value.Step);
            _last[(value.Step, value.Machine)] = (value, _time.GetTimestamp());
        }
    }

    public override async Task EndStepsAsync()
    {
        await _end.CancelAsync();
        await _drawing;
    }

    public override void Found(Finding finding) => _console.MarkupLineInterpolated(
        $"{finding.Elapsed.TotalSeconds,7:0.00} s  [{(finding.Good ? "green" : "red")}]{(finding.Good ? "ok  " : "FAIL")}[/]  {finding.Subject}: {finding.Seen}");

    public override void Say(string line) => _console.WriteLine(line);

    public override async ValueTask DisposeAsync()
    {
        await EndStepsAsync();
        _end.Dispose();
        await base.DisposeAsync();
    }

    private Task DrawAsync() => _console.Live(Draw()).AutoClear(false).Overflow(VerticalOverflow.Crop).Cropping(VerticalOverflowCropping.Top).StartAsync(async live =>
    {
        while (!_end.IsCancellationRequested)
        {
            await Task.Delay(Interval, _time, _end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            live.UpdateTarget(Draw());
        }
    });

    private Table Draw()
    {
        var table = new Table().Border(TableBorder.None).AddColumn(new TableColumn($"{_time.GetElapsedTime(_start).TotalSeconds:0.0} s"));
        foreach (var column in _columns) table.AddColumn(new TableColumn(column.Length == 0 ? "jumpbox" : Markup.Escape(column)).RightAligned());
        lock (_lock)
        {
            foreach (var step in _steps)
                table.AddRow([Markup.Escape(step), .. _columns.Select(column => Cell(step, column))]);
            var waiting = _last.Values.Where(v => v.Event.State is StepState.Applying or StepState.Verifying or StepState.Checking && v.Event.Detail.Length > 0).OrderBy(v => v.At).FirstOrDefault();
            if (waiting.Event is { } longest) table.Caption($"[grey]{Markup.Escape(Shorten($"{longest.Machine} {longest.Step}: {longest.Detail}"))}[/]");
            var failed = _last.Values.Select(v => v.Event).Where(e => e.State == StepState.Failed).Select(e => $"[red]{Markup.Escape($"{e.Machine} {e.Step}: {e.Detail}")}[/]").ToList();
            if (failed.Count > 0) table.Caption(string.Join('\n', failed));
        }
        return table;
    }

    private string Cell(string step, string machine)
    {
        if (!_last.TryGetValue((step, machine), out var last)) return "";
        var (value, at) = last;
        return value.State switch
        {
            StepState.Changed => $"[green]{value.Elapsed.TotalSeconds:0.0}[/]",
            StepState.Unchanged => "[green]=[/]",
            StepState.Failed => "[red]FAILED[/]",
            StepState.Blocked => "[yellow]-[/]",
            _ => $"[blue]{(value.Elapsed + _time.GetElapsedTime(at)).TotalSeconds:0.0}…[/]",
        };
    }

    private string Shorten(string text) => text.Length < _console.Profile.Width ? text : text[..(_console.Profile.Width - 2)] + "…";
}
