namespace Hardway.Hosting;

/// <summary>A component cannot start or go on, for a reason its operator can mend: shown as one line, without a stack.</summary>
public sealed class ComponentException : Exception
{
    public ComponentException(string message) : base(message) { }
    public ComponentException(string message, Exception inner) : base(message, inner) { }
    public ComponentException() { }
}
