using System.Text.Json;
using Hardway.Api;
using Hardway.Hosting;

namespace Hardway.ApiServer.Configuration;

/// <summary>Configuration files that the command line names: YAML or JSON, bounded in size, read strictly.</summary>
internal static class ConfigFile
{
    private const int Largest = 4 << 20;

    /// <exception cref="ComponentException">What is wrong, with the file's name.</exception>
    public static string ReadText(string path)
    {
        try
        {
            return new FileInfo(path).Length <= Largest ? File.ReadAllText(path) : throw new ComponentException($"{path}: larger than {Largest} bytes");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ComponentException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>The root of a file that may be of several versions of one kind.</summary>
    public static ConfigObject Read(string path, string group, string kind, params ReadOnlySpan<string> versions) => Parse(path, ReadText(path), group, kind, versions);

    public static ConfigObject Parse(string path, string yaml, string group, string kind, params ReadOnlySpan<string> versions)
    {
        var root = Json(path, yaml);
        var given = root.ValueKind == JsonValueKind.Object && root.TryGetProperty("apiVersion", out var version) && version.ValueKind == JsonValueKind.String ? version.GetString()! : "";
        var known = versions[0];
        foreach (var one in versions)
        {
            known = given == group + "/" + one ? one : known;
        }

        return ConfigObject.Root(path, root, group + "/" + known, kind);
    }

    public static JsonElement Json(string path, string yaml)
    {
        try
        {
            using var document = JsonDocument.Parse(YamlJson.ToJson(yaml), new JsonDocumentOptions { MaxDepth = 64 });
            return document.RootElement.Clone();
        }
        catch (Exception e) when (e is ApiDecodeException or JsonException)
        {
            throw new ComponentException($"{path}: {e.Message}", e);
        }
    }
}
