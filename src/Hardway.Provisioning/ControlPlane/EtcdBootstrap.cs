using Hardway.Provisioning.Cluster;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.ControlPlane;

/// <summary>
/// What each member of etcd was first started with (--initial-cluster-state and --initial-cluster), a line a member: <c>NAME STATE LIST</c>. etcd reads these flags once,
/// so they must not change when others join or leave: a unit that changed would start every member again. There is no file until etcd is healthy for the first time;
/// until then all servers are founders. Immutable but for the file, which is read once a run.
/// </summary>
internal sealed class EtcdBootstrap
{
    private static readonly Lock _writing = new();
    private readonly string _path;
    private readonly IReadOnlyDictionary<string, (string State, string Members)> _known;

    private EtcdBootstrap(string path, IReadOnlyDictionary<string, (string State, string Members)> known) => (_path, _known) = (path, known);

    /// <summary>Whether there is an etcd already, so that whoever is not known here has to join it.</summary>
    public bool IsFounded => _known.Count > 0;

    public static EtcdBootstrap Read(string path) => new(path, Known(path));

    public (string State, string Members) Of(MachineDatabase machines, Machine member) => _known.TryGetValue(member.HostName, out var known)
        ? known
        : (IsFounded ? "existing" : "new", string.Join(',', machines.Servers.Select(Url)));

    /// <summary>etcd is healthy: its founders are who they are, and whoever joined is one of them.</summary>
    public void Keep(MachineDatabase machines)
    {
        if (machines.Servers.Any(s => !_known.ContainsKey(s.HostName)))
        {
            Write(known =>
            {
                foreach (var server in machines.Servers)
                {
                    known.TryAdd(server.HostName, Of(machines, server));
                }
            });
        }
    }

    /// <summary>A member that left is nobody's founder any more: coming back, it joins.</summary>
    public void Forget(string name) => Write(known => known.Remove(name));

    internal static string Url(Machine server) => $"{server.HostName}=https://{server.Address}:2380";

    private static Dictionary<string, (string State, string Members)> Known(string path) => File.Exists(path)
        ? File.ReadAllLines(path).Select(l => l.Split(' ')).Where(w => w.Length == 3).ToDictionary(w => w[0], w => (w[1], w[2]))
        : [];

    private void Write(Action<Dictionary<string, (string State, string Members)>> change)
    {
        lock (_writing)
        {
            var known = Known(_path);
            change(known);
            PrivateFile.Write(_path, string.Concat(known.Select(k => $"{k.Key} {k.Value.State} {k.Value.Members}\n")));
        }
    }
}
