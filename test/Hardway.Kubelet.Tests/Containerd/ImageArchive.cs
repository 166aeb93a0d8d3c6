using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;

namespace Hardway.Kubelet.Tests.Containerd;

/// <summary>An image archive (docker save's form) whose only content is a static busybox with a few names.</summary>
internal static class ImageArchive
{
    private static readonly string[] Names = ["sh", "sleep", "cat", "echo", "true", "false", "id", "test", "mkdir", "ls"];

    public static void Write(string path, string tag, string busybox, string entrypoint)
    {
        var layer = Layer(busybox);
        var layerId = Hex(layer);
        var config = Encoding.UTF8.GetBytes($$$"""{"architecture":"amd64","os":"linux","config":{"Entrypoint":{{{entrypoint}}},"Env":["PATH=/bin"]},"rootfs":{"type":"layers","diff_ids":["sha256:{{{layerId}}}"]}}""");
        var configId = Hex(config);
        using var archive = new TarWriter(File.Create(path));
        Add(archive, configId + ".json", config);
        Add(archive, layerId + "/layer.tar", layer);
        Add(archive, "manifest.json", Encoding.UTF8.GetBytes($$"""[{"Config":"{{configId}}.json","RepoTags":["{{tag}}"],"Layers":["{{layerId}}/layer.tar"]}]"""));
    }

    private static byte[] Layer(string busybox)
    {
        using var memory = new MemoryStream();
        using (var tar = new TarWriter(memory, leaveOpen: true))
        {
            foreach (var directory in new[] { "bin", "etc", "tmp", "proc", "sys", "dev", "root" })
                tar.WriteEntry(new PaxTarEntry(TarEntryType.Directory, directory) { Mode = (UnixFileMode)0x1ED });
            using var content = File.OpenRead(busybox);
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "bin/busybox") { Mode = (UnixFileMode)0x1ED, DataStream = content });
            foreach (var name in Names)
                tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "bin/" + name) { LinkName = "busybox" });
        }
        return memory.ToArray();
    }

    private static void Add(TarWriter archive, string name, byte[] content)
    {
        using var data = new MemoryStream(content);
        archive.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = data, Mode = (UnixFileMode)0x1A4 });
    }

    private static string Hex(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));
}
