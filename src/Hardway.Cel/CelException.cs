using System.Diagnostics.CodeAnalysis;

namespace Hardway.Cel;

/// <summary>An evaluation that has no value: a missing key, a wrong type, a division by zero, too much work.</summary>
public class CelException : Exception
{
    public CelException(string message)
        : base(message)
    {
    }

    public CelException()
    {
    }

    public CelException(string message, Exception inner)
        : base(message, inner)
    {
    }

    internal static CelException NoOverload(string function) => new($"no such overload: {function}");
}

/// <summary>The work allowed is used up. Nothing absorbs this error.</summary>
public sealed class CelBudgetException : CelException
{
    public CelBudgetException()
        : base("operation cancelled: actual cost limit exceeded")
    {
    }

    public CelBudgetException(string message)
        : base(message)
    {
    }

    public CelBudgetException(string message, Exception inner)
        : base(message, inner)
    {
    }
}

/// <summary>An expression that is none, or that names what is not there. Position is the character, from 0.</summary>
[SuppressMessage("Design", "CA1032", Justification = "Without a position it means nothing.")]
public sealed class CelSyntaxException(string message, int position) : Exception($"ERROR: <input>:1:{position + 1}: {message}")
{
    public int Position { get; } = position;
}
