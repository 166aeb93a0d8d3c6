using System.Security.Cryptography;
using System.Text;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Remote;

/// <summary>A file as it shall be on a machine: its bytes here (or, if large, in a local file), its mode and owner.</summary>
internal sealed class RemoteFile
{
    private RemoteFile(string path, byte[] content, string? source, string hash, int mode, string owner)
    {
        Path = path;
        Content = content;
        Source = source;
        Hash = hash;
        Mode = mode;
        Owner = owner;
    }

    public string Path { get; }

    public byte[] Content { get; }

    /// <summary>The local file that holds the bytes; null when <see cref="Content"/> does.</summary>
    public string? Source { get; }

    public string Hash { get; }

    /// <summary>Permission bits, as chmod writes them in octal.</summary>
    public int Mode { get; }

    public string Owner { get; }

    /// <summary>Nobody but its owner may read it, and neither may the transcript.</summary>
    public bool Secret => (Mode & 0b000_111_111) == 0;

    public string ModeText => Convert.ToString(Mode, 8);

    /// <summary>Where the new bytes are until they are complete: beside the file, so that the move is atomic.</summary>
    public string Temporary => Path + ".hardway-new";

    public StepItem Item(string how) => new("file", Path, $"{ModeText} {Owner}{(Source is null ? $", {Content.Length} bytes" : $", from {Source}")}{how}");

    public static RemoteFile Text(string path, string text, string mode = "644", string owner = "root:root")
        => Bytes(path, Encoding.UTF8.GetBytes(text), mode, owner);

    public static RemoteFile Bytes(string path, byte[] content, string mode = "644", string owner = "root:root")
        => new(path, content, null, Convert.ToHexStringLower(SHA256.HashData(content)), Convert.ToInt32(mode, 8), owner);

    /// <param name="path">Where it goes.</param>
    /// <param name="source">The local file.</param>
    /// <param name="hash">Its SHA-256 in lower-case hexadecimal.</param>
    /// <param name="mode">Octal.</param>
    public static RemoteFile Large(string path, string source, string hash, string mode)
        => new(path, [], source, hash, Convert.ToInt32(mode, 8), "root:root");
}
