namespace Hardway.Kubelet.Configuration;

/// <summary>What is wrong with a configuration file, and which of its fields have no effect here.</summary>
internal sealed class ConfigProblems
{
    public List<string> Errors { get; } = [];

    public List<string> Ignored { get; } = [];

    public void Add(string path, string problem) => Errors.Add($"{path} {problem}");

    public void Ignore(string path) => Ignored.Add(path);
}
