using System.Text;

namespace Hardway.Provisioning.Cluster;

/// <summary>Writes files of the cluster's directory whole or not at all.</summary>
internal static class PrivateFile
{
    public const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public static void Write(string path, string text, UnixFileMode mode = OwnerOnly)
    {
        var temporary = path + ".hardway-new";
        File.Delete(temporary);
        using (var stream = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = mode }))
        {
            File.SetUnixFileMode(stream.SafeFileHandle, mode);
            stream.Write(Encoding.UTF8.GetBytes(text));
        }

        File.Move(temporary, path, overwrite: true);
    }

    public static bool Is(string path, string text) => File.Exists(path) && File.ReadAllText(path) == text;
}
