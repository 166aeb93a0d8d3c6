using System.Diagnostics.CodeAnalysis;

namespace Hardway.Cel;

/// <summary>An expression whose types do not fit, found before it is ever evaluated. Position is the character, from 0.</summary>
[SuppressMessage("Design", "CA1032", Justification = "Without a position it means nothing.")]
public sealed class CelTypeException(string message, int position) : Exception($"ERROR: <input>:1:{position + 1}: {message}")
{
    public int Position { get; } = position;
}
