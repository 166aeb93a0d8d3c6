using System.Text;

namespace Hardway.Hosting;

/// <summary>A number that only grows. Safe for all threads.</summary>
public sealed class Counter : MetricFamily
{
    internal Counter(string name, string help, string[] labels) : base(name, help, "counter", labels) { }

    public void Inc(params ReadOnlySpan<string> labels) => ((Cell)CellOf(labels)).Add(1);

    public void Add(double amount, params ReadOnlySpan<string> labels) => ((Cell)CellOf(labels)).Add(amount);

    public double Value(params ReadOnlySpan<string> labels) => ((Cell)CellOf(labels)).Value;

    private protected override object NewCell() => new Cell();

    private protected override void WriteCell(StringBuilder text, string labels, object cell) => Sample(text, Name, labels, ((Cell)cell).Value);
}

/// <summary>A number that goes up and down. Safe for all threads.</summary>
public sealed class Gauge : MetricFamily
{
    private readonly Func<double>? _read;
    private readonly Action<Gauge>? _refresh;

    internal Gauge(string name, string help, string[] labels, Func<double>? read = null, string type = "gauge", Action<Gauge>? refresh = null)
        : base(name, help, type, labels) => (_read, _refresh) = (read, refresh);

    public void Set(double value, params ReadOnlySpan<string> labels) => ((Cell)CellOf(labels)).Value = value;

    public void Add(double amount, params ReadOnlySpan<string> labels) => ((Cell)CellOf(labels)).Add(amount);

    public double Value(params ReadOnlySpan<string> labels) => ((Cell)CellOf(labels)).Value;

    /// <summary>Before a scrape: asks the function for the value, if this gauge has one.</summary>
    internal void Refresh()
    {
        if (_read is not null) Set(_read());
        _refresh?.Invoke(this);
    }

    private protected override object NewCell() => new Cell();

    private protected override void WriteCell(StringBuilder text, string labels, object cell) => Sample(text, Name, labels, ((Cell)cell).Value);
}

/// <summary>A double that several threads add to.</summary>
internal sealed class Cell
{
    private double _value;

    public double Value { get => Volatile.Read(ref _value); set => Volatile.Write(ref _value, value); }

    public void Add(double amount)
    {
        double seen;
        do seen = Volatile.Read(ref _value);
        while (Interlocked.CompareExchange(ref _value, seen + amount, seen) != seen);
    }
}
