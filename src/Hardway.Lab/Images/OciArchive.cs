using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Hardway.Lab.Images;

/// <summary>How a container of an image starts, in the words of the OCI image configuration.</summary>
internal sealed record ImageConfig
{
    public IReadOnlyList<string> Entrypoint { get; init; } = [];
    public IReadOnlyList<string> Command { get; init; } = [];
    public string User { get; init; } = "";
    public string? ExposedPort { get; init; }
    public string? StopSignal { get; init; }
}

/// <summary>
/// Writes an OCI image layout as one tar: one uncompressed layer (it goes over a local network once), configuration, manifest, and an index with one
/// entry for every name, which `ctr images import` turns into as many images.
/// </summary>
internal static class OciArchive
{
    private const string LayerType = "application/vnd.oci.image.layer.v1.tar";
    private const string ConfigType = "application/vnd.oci.image.config.v1+json";
    private const string ManifestType = "application/vnd.oci.image.manifest.v1+json";
    private const string IndexType = "application/vnd.oci.image.index.v1+json";

    /// <summary>Atomic: <paramref name="path"/> is complete or not there.</summary>
    public static async Task WriteAsync(string path, ImageLayer layer, ImageConfig config, IReadOnlyList<string> names, CancellationToken cancellation)
    {
        var layerFile = path + ".layer";
        var building = path + ".new";
        try
        {
            var (layerDigest, layerSize) = await WriteLayerAsync(layerFile, layer, cancellation);
            var configuration = Configuration(config, layerDigest);
            var manifest = Manifest(configuration, layerDigest, layerSize);
            await using (var output = File.Create(building))
            await using (var tar = new TarWriter(output, TarEntryFormat.Ustar))
            {
                await AddAsync(tar, "oci-layout", """{"imageLayoutVersion":"1.0.0"}"""u8.ToArray(), cancellation);
                await AddAsync(tar, "blobs/sha256/" + Digest(configuration), configuration, cancellation);
                await AddAsync(tar, "blobs/sha256/" + Digest(manifest), manifest, cancellation);
                await AddFileAsync(tar, "blobs/sha256/" + layerDigest, layerFile, cancellation);
                await AddAsync(tar, "index.json", Index(manifest, names), cancellation);
            }
            File.Move(building, path, overwrite: true);
        }
        finally
        {
            File.Delete(layerFile);
            File.Delete(building);
        }
    }

    private static async Task<(string Digest, long Size)> WriteLayerAsync(string file, ImageLayer layer, CancellationToken cancellation)
    {
        await using var output = File.Create(file);
        await layer.WriteAsync(output, cancellation);
        output.Position = 0;
        return (Convert.ToHexStringLower(await SHA256.HashDataAsync(output, cancellation)), output.Length);
    }

    private static byte[] Configuration(ImageConfig config, string layerDigest) => Json(w =>
    {
        w.WriteString("architecture", "amd64");
        w.WriteString("os", "linux");
        w.WriteStartObject("config");
        if (config.User.Length > 0) w.WriteString("User", config.User);
        if (config.ExposedPort is { } port)
        {
            w.WriteStartObject("ExposedPorts");
            w.WriteStartObject(port);
            w.WriteEndObject();
            w.WriteEndObject();
        }
        Strings(w, "Env", ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]);
        if (config.Entrypoint.Count > 0) Strings(w, "Entrypoint", config.Entrypoint);
        if (config.Command.Count > 0) Strings(w, "Cmd", config.Command);
        if (config.StopSignal is { } signal) w.WriteString("StopSignal", signal);
        w.WriteEndObject();
        w.WriteStartObject("rootfs");
        w.WriteString("type", "layers");
        Strings(w, "diff_ids", ["sha256:" + layerDigest]);
        w.WriteEndObject();
    });

    private static byte[] Manifest(byte[] configuration, string layerDigest, long layerSize) => Json(w =>
    {
        w.WriteNumber("schemaVersion", 2);
        w.WriteString("mediaType", ManifestType);
        w.WritePropertyName("config");
        Descriptor(w, ConfigType, Digest(configuration), configuration.Length, null);
        w.WriteStartArray("layers");
        Descriptor(w, LayerType, layerDigest, layerSize, null);
        w.WriteEndArray();
    });

    private static byte[] Index(byte[] manifest, IReadOnlyList<string> names) => Json(w =>
    {
        w.WriteNumber("schemaVersion", 2);
        w.WriteString("mediaType", IndexType);
        w.WriteStartArray("manifests");
        foreach (var name in names) Descriptor(w, ManifestType, Digest(manifest), manifest.Length, name);
        w.WriteEndArray();
    });

    private static void Descriptor(Utf8JsonWriter w, string type, string digest, long size, string? name)
    {
        w.WriteStartObject();
        w.WriteString("mediaType", type);
        w.WriteString("digest", "sha256:" + digest);
        w.WriteNumber("size", size);
        if (name is not null)
        {
            w.WriteStartObject("annotations");
            w.WriteString("io.containerd.image.name", name);
            w.WriteString("org.opencontainers.image.ref.name", name[(name.LastIndexOf(':') + 1)..]);
            w.WriteEndObject();
        }
        w.WriteEndObject();
    }

    private static void Strings(Utf8JsonWriter w, string name, IReadOnlyList<string> values)
    {
        w.WriteStartArray(name);
        foreach (var value in values) w.WriteStringValue(value);
        w.WriteEndArray();
    }

    private static byte[] Json(Action<Utf8JsonWriter> fields)
    {
        var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            fields(writer);
            writer.WriteEndObject();
        }
        return buffer.ToArray();
    }

    private static string Digest(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    private static Task AddAsync(TarWriter tar, string name, byte[] content, CancellationToken cancellation) =>
        tar.WriteEntryAsync(Entry(name, new MemoryStream(content)), cancellation);

    private static async Task AddFileAsync(TarWriter tar, string name, string file, CancellationToken cancellation)
    {
        await using var content = File.OpenRead(file);
        await tar.WriteEntryAsync(Entry(name, content), cancellation);
    }

    private static UstarTarEntry Entry(string name, Stream content) =>
        new(TarEntryType.RegularFile, name) { DataStream = content, ModificationTime = DateTimeOffset.UnixEpoch };
}
