namespace Hardway.Api.Patching;

/// <summary>How the API server answers a patch that cannot be applied.</summary>
public enum PatchFault
{
    /// <summary>400: the patch itself is malformed.</summary>
    Malformed,

    /// <summary>422: the patch does not fit the object.</summary>
    Unfit,

    /// <summary>413: too many operations.</summary>
    TooLarge,

    /// <summary>500, which is what the API answers where a merge key is missing or an order does not match.</summary>
    Inconsistent,
}

/// <summary>A patch that was not applied.</summary>
public sealed class PatchException : Exception
{
    public PatchException(PatchFault fault, string message)
        : base(message) => Fault = fault;

    public PatchException()
    {
    }

    public PatchException(string message)
        : base(message)
    {
    }

    public PatchException(string message, Exception inner)
        : base(message, inner)
    {
    }

    public PatchFault Fault { get; }
}
