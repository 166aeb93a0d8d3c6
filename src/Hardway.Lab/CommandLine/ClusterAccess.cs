using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hardway.Lab.CommandLine;

/// <summary>How `up` reached the machines, kept in the cluster's directory so that later commands reach them the same way. The cluster's own key opens them by then.</summary>
internal sealed record ClusterAccess(bool Lab, string User)
{
    public static ClusterAccess Read(string directory)
    {
        var path = PathIn(directory);
        if (!File.Exists(path)) return new ClusterAccess(true, "root");
        try
        {
            var kept = JsonNode.Parse(File.ReadAllText(path));
            return new ClusterAccess((bool?)kept?["lab"] ?? true, (string?)kept?["user"] ?? "root");
        }
        catch (JsonException e)
        {
            throw new Hosting.ComponentException($"{path} cannot be read ({e.Message}): run hardway up again");
        }
    }

    public void Write(string directory)
    {
        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.WriteAllText(PathIn(directory), new JsonObject { ["lab"] = Lab, ["user"] = User }.ToJsonString());
    }

    private static string PathIn(string directory) => Path.Combine(directory, "access.json");
}
