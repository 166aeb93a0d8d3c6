namespace Hardway.Linux.Files;

public enum UnixFileKind { Missing, Regular, Directory, Socket, Character, Block, Other }

/// <summary>What kind of thing a path is; links are followed.</summary>
public static class FileKind
{
    private const uint Mask = 0xF000;

    public static UnixFileKind Of(string path)
    {
        if (Native.Statx(-100, path, 0, 0x1 | 0x2, out var stat) != 0)
            return UnixFileKind.Missing;
        return (stat.Mode & Mask) switch
        {
            0x8000 => UnixFileKind.Regular,
            0x4000 => UnixFileKind.Directory,
            0xC000 => UnixFileKind.Socket,
            0x2000 => UnixFileKind.Character,
            0x6000 => UnixFileKind.Block,
            _ => UnixFileKind.Other,
        };
    }
}
