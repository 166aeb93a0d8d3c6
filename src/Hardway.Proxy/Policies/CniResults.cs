using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;

namespace Hardway.Proxy.Policies;

/// <summary>
/// The addresses that this node's Pods got, as the container runtime's CNI library keeps them (a file a network interface, written when the sandbox's network
/// is made and before any container starts). The API tells an address only when the Pod runs: a Pod would be open until then. Where the folder is not
/// kept, everything works but for that moment. Any thread.
/// </summary>
internal sealed class CniResults : IDisposable
{
    public const string Folder = "/var/lib/cni/results";
    private const int MaxSize = 1 << 20;
    private readonly ConcurrentDictionary<string, (string Pod, IReadOnlyList<IPAddress> Addresses)> _byFile = new(StringComparer.Ordinal);
    private readonly Action<string> _changed;
    private readonly FileSystemWatcher _watcher;
    private readonly string _folder;

    /// <param name="folder">Where the files are; made when missing, so that the first Pod is seen.</param>
    /// <param name="changed">Called with the Pod's key when its addresses came, changed or went.</param>
    /// <exception cref="IOException">The folder can be neither made nor watched.</exception>
    public CniResults(string folder, Action<string> changed)
    {
        (_folder, _changed) = (folder, changed);
        Directory.CreateDirectory(folder);
        _watcher = new FileSystemWatcher(folder) { NotifyFilter = NotifyFilters.FileName | NotifyFilters.LastWrite };
        _watcher.Created += (_, e) => Look(e.Name!);
        _watcher.Changed += (_, e) => Look(e.Name!);
        _watcher.Renamed += (_, e) => Look(e.Name!);
        _watcher.Deleted += (_, e) => Forget(e.Name!);
        _watcher.Error += (_, _) => Scan();
        _watcher.EnableRaisingEvents = true;
        Scan();
    }

    /// <summary>Empty when nothing is known.</summary>
    public IReadOnlyList<IPAddress> AddressesOf(string pod)
    {
        foreach (var (key, addresses) in _byFile.Values)
        {
            if (key == pod)
            {
                return addresses;
            }
        }

        return [];
    }

    public void Dispose() => _watcher.Dispose();

    /// <summary>"namespace/name" and the addresses of eth0; null for anything else, and for what is not all written yet.</summary>
    public static (string Pod, IReadOnlyList<IPAddress> Addresses)? Read(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            if (root.GetProperty("ifName").GetString() != "eth0")
            {
                return null;
            }

            string? @namespace = null, name = null;
            foreach (var pair in root.GetProperty("cniArgs").EnumerateArray())
            {
                switch (pair[0].GetString())
                {
                    case "K8S_POD_NAMESPACE":
                        @namespace = pair[1].GetString();
                        break;
                    case "K8S_POD_NAME":
                        name = pair[1].GetString();
                        break;
                }
            }

            var addresses = new List<IPAddress>();
            foreach (var ip in root.GetProperty("result").GetProperty("ips").EnumerateArray())
            {
                var text = ip.GetProperty("address").GetString() ?? "";
                if (IPAddress.TryParse(text.Split('/')[0], out var address))
                {
                    addresses.Add(address);
                }
            }

            return @namespace is null || name is null || addresses.Count == 0 ? null : ($"{@namespace}/{name}", addresses);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or IndexOutOfRangeException)
        {
            return null;
        }
    }

    private void Scan()
    {
        foreach (var gone in _byFile.Keys.Where(f => !File.Exists(Path.Combine(_folder, f))))
        {
            Forget(gone);
        }

        foreach (var file in Directory.EnumerateFiles(_folder))
        {
            Look(Path.GetFileName(file));
        }
    }

    private void Look(string name)
    {
        try
        {
            var file = new FileInfo(Path.Combine(_folder, name));
            if (file.Exists && file.Length <= MaxSize && Read(File.ReadAllBytes(file.FullName)) is { } found)
            {
                _byFile[name] = found;
                _changed(found.Pod);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // gone again; its deletion is told as well
        }
    }

    private void Forget(string name)
    {
        if (_byFile.TryRemove(name, out var was))
        {
            _changed(was.Pod);
        }
    }
}
