using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Hardway.Hosting;

/// <summary>One metric name with its children by label values. Children are made on first use and kept: label values must be few.</summary>
public abstract class MetricFamily
{
    private readonly ConcurrentDictionary<string, Child> _children = new(StringComparer.Ordinal);
    private readonly string[] _labels;

    private protected MetricFamily(string name, string help, string type, string[] labels) => (Name, Help, Type, _labels) = (name, help, type, labels);

    public string Name { get; }
    public string Help { get; }
    public string Type { get; }

    private protected sealed record Child(string Labels, object Cell);

    private protected abstract object NewCell();

    private protected abstract void WriteCell(StringBuilder text, string labels, object cell);

    private protected object CellOf(ReadOnlySpan<string> values)
    {
        if (values.Length != _labels.Length) throw new ArgumentException($"metric {Name} has {_labels.Length} labels, not {values.Length}", nameof(values));
        var key = values.Length switch { 0 => "", 1 => values[0], _ => string.Join('\u0001', values!) };
        return _children.TryGetValue(key, out var child) ? child.Cell : Make(key, values);
    }

    /// <summary>Forgets a child (an object that is gone).</summary>
    public void Remove(params ReadOnlySpan<string> values) => _children.TryRemove(string.Join('\u0001', values!), out _);

    internal void Write(StringBuilder text)
    {
        text.Append("# HELP ").Append(Name).Append(' ').Append(Help.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)).Append('\n');
        text.Append("# TYPE ").Append(Name).Append(' ').Append(Type).Append('\n');
        foreach (var child in _children.Values.OrderBy(c => c.Labels, StringComparer.Ordinal)) WriteCell(text, child.Labels, child.Cell);
    }

    private object Make(string key, ReadOnlySpan<string> values)
    {
        var labels = new StringBuilder();
        for (var i = 0; i < _labels.Length; i++)
        {
            if (i > 0) labels.Append(',');
            labels.Append(_labels[i]).Append("=\"").Append(values[i].Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)).Append('"');
        }
        return _children.GetOrAdd(key, new Child(labels.ToString(), NewCell())).Cell;
    }

    private protected static void Sample(StringBuilder text, string name, string labels, double value)
    {
        text.Append(name);
        if (labels.Length > 0) text.Append('{').Append(labels).Append('}');
        text.Append(' ').Append(Number(value)).Append('\n');
    }

    private protected static string Number(double value) => double.IsPositiveInfinity(value) ? "+Inf" : value.ToString("R", CultureInfo.InvariantCulture);
}
