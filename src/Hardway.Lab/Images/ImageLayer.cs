using System.Formats.Tar;
using System.Text;
using Hardway.Hosting;

namespace Hardway.Lab.Images;

/// <summary>
/// The files of an image: collected by path, then written as one tar in order of the paths, owned by root and without times, so that the same files are
/// the same bytes. Folders above a file are added by themselves.
/// </summary>
internal sealed class ImageLayer
{
    private sealed record Item(TarEntryType Type, UnixFileMode Mode, string? Source, byte[]? Content, string? Link);

    private const UnixFileMode Folder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
    private const UnixFileMode Plain = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private readonly SortedDictionary<string, Item> _items = new(StringComparer.Ordinal);

    public ImageLayer AddFolder(string path, UnixFileMode mode = Folder)
    {
        AddParents(path);
        _items[Relative(path)] = new Item(TarEntryType.Directory, mode, null, null, null);
        return this;
    }

    public ImageLayer AddText(string path, string text, bool executable = false)
    {
        AddParents(path);
        _items[Relative(path)] = new Item(TarEntryType.RegularFile, executable ? Folder : Plain, null, Encoding.UTF8.GetBytes(text), null);
        return this;
    }

    public ImageLayer AddLink(string path, string target)
    {
        AddParents(path);
        _items[Relative(path)] = new Item(TarEntryType.SymbolicLink, Folder, null, null, target);
        return this;
    }

    /// <summary>A file of the host (or of a package tree), read when the layer is written.</summary>
    public ImageLayer AddFile(string path, string source)
    {
        AddParents(path);
        var executable = (File.GetUnixFileMode(source) & UnixFileMode.UserExecute) != 0;
        _items[Relative(path)] = new Item(TarEntryType.RegularFile, executable ? Folder : Plain, source, null, null);
        return this;
    }

    /// <summary>
    /// A program of a package tree with its loader and every library that it and they need; names that are only loaded at run time are given in
    /// <paramref name="alsoLoads"/>.
    /// </summary>
    public ImageLayer AddProgram(string tree, string path, string? source = null, params IReadOnlyList<string> alsoLoads)
    {
        var program = source ?? Path.Combine(tree, Relative(path));
        AddFile(path, program);
        var elf = ElfFile.Read(program) ?? throw new ComponentException($"{program} is not a 64-bit ELF program");
        // The loader's path is part of the program: /lib64/ld-linux-x86-64.so.2.
        if (elf.Interpreter is { } loader) AddFile(loader, Path.Combine(tree, "lib/x86_64-linux-gnu", Path.GetFileName(loader)));
        var queue = new Queue<string>(elf.Needed.Concat(alsoLoads));
        while (queue.TryDequeue(out var library))
        {
            var inside = "/usr/lib/x86_64-linux-gnu/" + library;
            if (_items.ContainsKey(Relative(inside)) || library.StartsWith("ld-linux", StringComparison.Ordinal)) continue;
            var file = new[] { "lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu" }.Select(f => Path.Combine(tree, f, library)).FirstOrDefault(File.Exists)
                ?? throw new ComponentException($"{path} needs {library}, which the package tree {tree} does not have");
            file = File.ResolveLinkTarget(file, returnFinalTarget: true)?.FullName ?? file;
            AddFile(inside, file);
            foreach (var next in ElfFile.Read(file)?.Needed ?? []) queue.Enqueue(next);
        }
        return this;
    }

    public async Task WriteAsync(Stream output, CancellationToken cancellation)
    {
        await using var tar = new TarWriter(output, TarEntryFormat.Ustar, leaveOpen: true);
        foreach (var (path, item) in _items)
        {
            var entry = new UstarTarEntry(item.Type, path) { Mode = item.Mode, ModificationTime = DateTimeOffset.UnixEpoch };
            if (item.Link is not null) entry.LinkName = item.Link;
            await using var content = item.Content is not null ? new MemoryStream(item.Content) : item.Source is not null ? File.OpenRead(item.Source) : (Stream?)null;
            if (content is not null) entry.DataStream = content;
            await tar.WriteEntryAsync(entry, cancellation);
        }
    }

    private void AddParents(string path)
    {
        for (var parent = Path.GetDirectoryName(Relative(path)); !string.IsNullOrEmpty(parent); parent = Path.GetDirectoryName(parent))
            _items.TryAdd(parent, new Item(TarEntryType.Directory, Folder, null, null, null));
    }

    private static string Relative(string path) => path.TrimStart('/');
}
