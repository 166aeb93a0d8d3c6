using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text.Json;
using Hardway.Lab.Images;

namespace Hardway.Lab.Tests;

public sealed class OciArchiveTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("hardway-oci-");

    public void Dispose() => _folder.Delete(recursive: true);

    private async Task<string> WriteAsync(string name)
    {
        var path = Path.Combine(_folder.FullName, name);
        var layer = new ImageLayer().AddText("/etc/passwd", "root:x:0:0::/:/bin/sh\n").AddText("/usr/bin/run", "#!/bin/sh\n", executable: true).AddLink("/bin/run", "../usr/bin/run").AddFolder("/tmp");
        await OciArchive.WriteAsync(path, layer, new ImageConfig { Command = ["run"], ExposedPort = "80/tcp" }, ["docker.io/library/x:1", "docker.io/library/x:latest"], TestContext.Current.CancellationToken);
        return path;
    }

    private static Dictionary<string, byte[]> Read(string path)
    {
        using var tar = new TarReader(File.OpenRead(path));
        var files = new Dictionary<string, byte[]>();
        while (tar.GetNextEntry(copyData: true) is { } entry)
        {
            using var content = new MemoryStream();
            entry.DataStream?.CopyTo(content);
            files[entry.Name] = content.ToArray();
        }
        return files;
    }

    [Fact]
    public async Task Every_blob_lies_under_its_own_digest_and_every_name_is_in_the_index()
    {
        var files = Read(await WriteAsync("a.tar"));

        foreach (var (name, content) in files.Where(f => f.Key.StartsWith("blobs/", StringComparison.Ordinal)))
            Assert.Equal(name, "blobs/sha256/" + Convert.ToHexStringLower(SHA256.HashData(content)));
        var index = JsonDocument.Parse(files["index.json"]).RootElement;
        Assert.Equal(["docker.io/library/x:1", "docker.io/library/x:latest"], index.GetProperty("manifests").EnumerateArray().Select(m => m.GetProperty("annotations").GetProperty("io.containerd.image.name").GetString()));
        var manifest = JsonDocument.Parse(files["blobs/sha256/" + index.GetProperty("manifests")[0].GetProperty("digest").GetString()![7..]]).RootElement;
        var layer = manifest.GetProperty("layers")[0].GetProperty("digest").GetString()!;
        var config = JsonDocument.Parse(files["blobs/sha256/" + manifest.GetProperty("config").GetProperty("digest").GetString()![7..]]).RootElement;
        Assert.Equal(layer, config.GetProperty("rootfs").GetProperty("diff_ids")[0].GetString());
        Assert.Contains("blobs/sha256/" + layer[7..], files.Keys);
    }

    [Fact]
    public async Task A_layer_has_every_folder_before_its_files_owned_by_root()
    {
        var files = Read(await WriteAsync("a.tar"));
        var layer = files.MaxBy(f => f.Value.Length).Value;
        using var tar = new TarReader(new MemoryStream(layer));
        var seen = new List<string>();
        while (tar.GetNextEntry() is { } entry)
        {
            seen.Add($"{entry.EntryType} {entry.Name}{(entry.LinkName.Length > 0 ? " -> " + entry.LinkName : "")}");
            Assert.Equal((0, 0), (entry.Uid, entry.Gid));
        }
        Assert.Equal(["Directory bin", "SymbolicLink bin/run -> ../usr/bin/run", "Directory etc", "RegularFile etc/passwd", "Directory tmp", "Directory usr", "Directory usr/bin", "RegularFile usr/bin/run"], seen);
    }

    [Fact]
    public async Task The_same_files_are_the_same_bytes_and_nothing_is_left_beside_them()
    {
        var first = await File.ReadAllBytesAsync(await WriteAsync("a.tar"), TestContext.Current.CancellationToken);
        var second = await File.ReadAllBytesAsync(await WriteAsync("b.tar"), TestContext.Current.CancellationToken);

        Assert.Equal(first, second);
        Assert.Equal(["a.tar", "b.tar"], _folder.GetFiles().Select(f => f.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_programs_libraries_are_read_from_it_as_ldd_would_tell()
    {
        var elf = ElfFile.Read("/bin/sh");

        Assert.NotNull(elf);
        Assert.Contains("libc.so.6", elf.Needed);
        Assert.StartsWith("/lib64/ld-linux", elf.Interpreter, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_program_is_none() => Assert.Null(ElfFile.Read("/etc/passwd"));
}
