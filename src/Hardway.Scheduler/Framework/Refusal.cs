namespace Hardway.Scheduler.Framework;

internal enum RefusalKind
{
    Error,

    /// <summary>Does not fit now; removing other Pods might help.</summary>
    Unschedulable,

    /// <summary>Does not fit, and removing Pods would not help.</summary>
    UnschedulableAndUnresolvable,
}

/// <summary>Why a plugin said no. Null means yes. Immutable; constant ones are shared.</summary>
internal sealed record Refusal(RefusalKind Kind, string Plugin, params string[] Reasons)
{
    public string Message => string.Join(", ", Reasons);
}
