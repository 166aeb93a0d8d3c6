using System.Text;

namespace Hardway.Hosting;

/// <summary>How often a value fell below each bound, with sum and count. Safe for all threads; a scrape may see a sample half counted.</summary>
public sealed class Histogram : MetricFamily
{
    private readonly double[] _bounds;

    internal Histogram(string name, string help, double[] bounds, string[] labels) : base(name, help, "histogram", labels) => _bounds = bounds;

    public void Observe(double value, params ReadOnlySpan<string> labels)
    {
        var cells = (Cells)CellOf(labels);
        var at = Array.FindIndex(_bounds, b => value <= b);
        Interlocked.Increment(ref cells.Counts[at < 0 ? _bounds.Length : at]);
        cells.Sum.Add(value);
    }

    public void Observe(TimeSpan value, params ReadOnlySpan<string> labels) => Observe(value.TotalSeconds, labels);

    private protected override object NewCell() => new Cells(_bounds.Length + 1);

    private protected override void WriteCell(StringBuilder text, string labels, object cell)
    {
        var cells = (Cells)cell;
        long total = 0;
        for (var i = 0; i <= _bounds.Length; i++)
        {
            total += Volatile.Read(ref cells.Counts[i]);
            var bound = $"le=\"{(i == _bounds.Length ? "+Inf" : Number(_bounds[i]))}\"";
            Sample(text, Name + "_bucket", labels.Length > 0 ? $"{labels},{bound}" : bound, total);
        }
        Sample(text, Name + "_sum", labels, cells.Sum.Value);
        Sample(text, Name + "_count", labels, total);
    }

    private sealed class Cells(int count)
    {
        public readonly long[] Counts = new long[count];
        public readonly Cell Sum = new();
    }
}
