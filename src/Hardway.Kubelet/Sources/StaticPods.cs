using System.Security.Cryptography;
using System.Text;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Kubelet.Pods;
using Microsoft.Extensions.Logging;

namespace Hardway.Kubelet.Sources;

/// <summary>
/// Pods from files in a directory. A file's content and name make the UID, so a changed file is another Pod. A file that cannot be
/// read as a Pod is one warning, and its former Pod goes on.
/// </summary>
internal sealed partial class StaticPods(string directory, string nodeName, PodWorkers workers, TimeSpan period, TimeProvider time, ILogger log)
{
    private const int MaxFile = 1 << 20;
    private readonly Dictionary<string, (DateTime Written, Pod Pod)> _known = new(StringComparer.Ordinal);

    /// <summary>True once the directory was read for the first time.</summary>
    public bool Ready { get; private set; } = directory.Length == 0;

    public IEnumerable<Pod> Pods { get { lock (_known) return [.. _known.Values.Select(k => k.Pod)]; } }

    public async Task RunAsync(CancellationToken stop)
    {
        if (directory.Length == 0)
            return;
        using var timer = new PeriodicTimer(period < TimeSpan.FromSeconds(2) ? period : TimeSpan.FromSeconds(2), time);
        do
            Scan();
        while (await timer.WaitForNextTickAsync(stop));
    }

    internal void Scan()
    {
        var files = Directory.Exists(directory) ? Directory.GetFiles(directory).Where(f => !Path.GetFileName(f).StartsWith('.')).ToHashSet(StringComparer.Ordinal) : [];
        lock (_known)
        {
            foreach (var file in files)
                Take(file);
            foreach (var gone in _known.Keys.Where(f => !files.Contains(f)).ToList())
            {
                _known.Remove(gone, out var old);
                workers.Remove(old.Pod.Metadata.Uid);
            }
        }
        Ready = true;
    }

    private void Take(string file)
    {
        var written = File.GetLastWriteTimeUtc(file);
        if (_known.TryGetValue(file, out var before) && before.Written == written)
            return;
        try
        {
            if (new FileInfo(file).Length > MaxFile)
                throw new FormatException($"is larger than {MaxFile} bytes");
            var pod = Parse(File.ReadAllText(file), Path.GetFileName(file), nodeName, time.GetUtcNow());
            _known[file] = (written, pod);
            if (before.Pod != null && before.Pod.Metadata.Uid != pod.Metadata.Uid)
                workers.Remove(before.Pod.Metadata.Uid);
            workers.Update(pod);
        }
        catch (Exception e) when (e is FormatException or ApiDecodeException or IOException)
        {
            LogRefused(log, file, e.Message);
        }
    }

    internal static Pod Parse(string text, string fileName, string nodeName, DateTimeOffset now)
    {
        var pod = ApiJson.Deserialize<Pod>(YamlJson.ToJson(text));
        if (pod.Kind != "Pod" || pod.ApiVersion != "v1")
            throw new FormatException($"is a {pod.Kind} of {pod.ApiVersion}, not a Pod of v1");
        if (pod.Metadata.Name.Length == 0 || (pod.Spec.Containers?.Count ?? 0) == 0)
            throw new FormatException("has no name or no containers");
        pod.Metadata.Uid = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{nodeName}\n{fileName}\n{text}")))[..32];
        pod.Metadata.Name += "-" + nodeName;
        if (pod.Metadata.Namespace.Length == 0)
            pod.Metadata.Namespace = "default";
        var annotations = pod.Metadata.Annotations ??= [];
        annotations[PodExtensions.ConfigHash] = pod.Metadata.Uid;
        annotations[PodExtensions.ConfigSource] = "file";
        annotations[PodExtensions.ConfigSeen] = now.ToString("O");
        pod.Metadata.CreationTimestamp = now;
        pod.Spec.NodeName = nodeName;
        StaticPodDefaults.Apply(pod);
        return pod;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Static Pod file {File} is not used: {Reason}")]
    private static partial void LogRefused(ILogger log, string file, string reason);
}
