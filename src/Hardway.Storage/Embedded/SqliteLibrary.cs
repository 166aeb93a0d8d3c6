using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hardway.Storage.Embedded;

/// <summary>
/// SQLite's native library, which the program carries within itself: loaded from memory when the first store is opened, so that one file is all a
/// machine needs and nothing is written to a disk that may forbid to run it.
/// </summary>
internal static partial class SqliteLibrary
{
    private const string Resource = "libe_sqlite3.so";
    private const uint CloseOnExec = 1;
    private static readonly Lazy<nint> s_handle = new(LoadFromMemory);
    private static readonly Lazy<bool> s_prepared = new(Register);

    /// <summary>Makes SQLite find its library, once; what goes wrong with loading it shows at its first use.</summary>
    public static void Prepare() => _ = s_prepared.Value;

    private static bool Register()
    {
        NativeLibrary.SetDllImportResolver(typeof(SQLitePCL.SQLite3Provider_e_sqlite3).Assembly, (name, _, _) => name == "e_sqlite3" ? s_handle.Value : 0);
        return true;
    }

    private static nint LoadFromMemory()
    {
        using var source = typeof(SqliteLibrary).Assembly.GetManifestResourceStream(Resource)
            ?? throw new DllNotFoundException($"{Resource} is not in this program");
        using var memory = new SafeFileHandle(Create(Resource, CloseOnExec), ownsHandle: true);
        if (memory.IsInvalid)
        {
            throw new DllNotFoundException($"{Resource} cannot be put in memory", new Win32Exception(Marshal.GetLastPInvokeError()));
        }

        using var file = new FileStream(memory, FileAccess.ReadWrite);
        source.CopyTo(file);
        file.Flush();
        // Once it is mapped, the descriptor is no longer needed.
        return NativeLibrary.Load($"/proc/self/fd/{memory.DangerousGetHandle()}");
    }

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Create(string name, uint flags);
}
