namespace Hardway.Linux;

/// <summary>A system call failed; the message says what was tried and the kernel's answer.</summary>
public sealed class LinuxException(int error, string message) : IOException(message)
{
    public int Error { get; } = error;
}
