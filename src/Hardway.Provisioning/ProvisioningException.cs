namespace Hardway.Provisioning;

/// <summary>Something that the user can understand and mend; the message is one clear line.</summary>
public sealed class ProvisioningException : Exception
{
    public ProvisioningException(string message)
        : base(message)
    {
    }

    public ProvisioningException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
