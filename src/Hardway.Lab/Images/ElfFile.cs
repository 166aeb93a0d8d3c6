using System.Buffers.Binary;
using System.Text;

namespace Hardway.Lab.Images;

/// <summary>Which shared libraries a 64-bit little-endian ELF file asks for (DT_NEEDED) and its loader (PT_INTERP); what `ldd` asks, without running the file.</summary>
internal sealed record ElfFile(string? Interpreter, IReadOnlyList<string> Needed)
{
    private const uint LoadSegment = 1, DynamicSegment = 2, InterpreterSegment = 3;
    private const ulong NeededTag = 1, StringTableTag = 5;

    private readonly record struct Segment(uint Type, ulong Offset, ulong Address, ulong Size);

    /// <summary>Null when the file is not such an ELF file.</summary>
    public static ElfFile? Read(string path) => Read(File.ReadAllBytes(path));

    internal static ElfFile? Read(ReadOnlySpan<byte> file)
    {
        if (file.Length < 64 || !file[..6].SequenceEqual("\u007fELF\u0002\u0001"u8)) return null;
        var segments = Segments(file);
        string? interpreter = null;
        var needed = new List<string>();
        foreach (var segment in segments)
        {
            if (segment.Type == InterpreterSegment) interpreter = Text(file, segment.Offset);
            if (segment.Type != DynamicSegment) continue;
            var names = new List<ulong>();
            ulong table = 0;
            for (var at = segment.Offset; at + 16 <= segment.Offset + segment.Size; at += 16)
            {
                var (tag, value) = (Long(file, at), Long(file, at + 8));
                if (tag == 0) break;
                if (tag == NeededTag) names.Add(value);
                if (tag == StringTableTag) table = value;
            }
            var strings = segments.FirstOrDefault(s => s.Type == LoadSegment && table >= s.Address && table < s.Address + s.Size);
            foreach (var name in names) needed.Add(Text(file, table - strings.Address + strings.Offset + name));
        }
        return new ElfFile(interpreter, needed);
    }

    private static List<Segment> Segments(ReadOnlySpan<byte> file)
    {
        var start = Long(file, 32);
        var size = BinaryPrimitives.ReadUInt16LittleEndian(file[54..]);
        var count = BinaryPrimitives.ReadUInt16LittleEndian(file[56..]);
        var segments = new List<Segment>(count);
        for (var i = 0; i < count; i++)
        {
            var header = file.Slice(checked((int)start + i * size), size);
            segments.Add(new Segment(BinaryPrimitives.ReadUInt32LittleEndian(header), Long(header, 8), Long(header, 16), Long(header, 32)));
        }
        return segments;
    }

    private static ulong Long(ReadOnlySpan<byte> file, ulong offset) => BinaryPrimitives.ReadUInt64LittleEndian(file[checked((int)offset)..]);

    private static string Text(ReadOnlySpan<byte> file, ulong offset)
    {
        var rest = file[checked((int)offset)..];
        return Encoding.ASCII.GetString(rest[..rest.IndexOf((byte)0)]);
    }
}
