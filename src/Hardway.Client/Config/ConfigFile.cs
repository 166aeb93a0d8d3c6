using System.Text.Json;
using Hardway.Api;
using Hardway.Hosting;

namespace Hardway.Client;

/// <summary>Reads a component's configuration file, YAML or JSON, strictly: every problem is one line that names the file and the field.</summary>
public static class ConfigFile
{
    public static T Load<T>(string file, string apiVersion, string kind, Func<ConfigObject, T> read)
    {
        try
        {
            return Read(file, File.ReadAllText(file), apiVersion, kind, read);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ComponentException($"the configuration {file} cannot be read: {e.Message}", e);
        }
    }

    public static T Read<T>(string file, string yaml, string apiVersion, string kind, Func<ConfigObject, T> read)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(YamlJson.ToJson(yaml));
        }
        catch (ApiDecodeException e)
        {
            throw new ComponentException($"{file}: {e.Message}", e);
        }

        using (document)
        {
            var root = ConfigObject.Root(file, document.RootElement, apiVersion, kind);
            var config = read(root);
            root.Done();
            return config;
        }
    }
}
