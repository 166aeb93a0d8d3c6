using System.Runtime.InteropServices;

namespace Hardway.Proxy.Bench;

/// <summary>Processor time of this process and of the programs that it ran and waited for (getrusage(2)).</summary>
internal static partial class ProcessorTime
{
    private const int Self = 0, Children = -1;

    public static TimeSpan Now => Of(Self) + Of(Children);

    private static TimeSpan Of(int who)
    {
        Span<long> usage = stackalloc long[18];
        return GetUsage(who, usage) == 0 ? TimeSpan.FromSeconds(usage[0] + usage[2]) + TimeSpan.FromMicroseconds(usage[1] + usage[3]) : throw new IOException(Marshal.GetLastPInvokeErrorMessage());
    }

    [LibraryImport("libc", EntryPoint = "getrusage", SetLastError = true)]
    private static partial int GetUsage(int who, Span<long> usage);
}
