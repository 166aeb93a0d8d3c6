namespace Hardway.Kubelet.Runtime;

/// <summary>Everything the runtime has of one Pod at one moment: sandboxes and containers, each newest first. Immutable.</summary>
internal sealed record RuntimePod(string Uid, IReadOnlyList<RuntimeSandbox> Sandboxes, IReadOnlyList<RuntimeContainer> Containers)
{
    public static RuntimePod Empty(string uid) => new(uid, [], []);

    public RuntimeSandbox? ReadySandbox => Sandboxes.Count > 0 && Sandboxes[0].IsReady ? Sandboxes[0] : null;

    public IReadOnlyList<string> Ips => Sandboxes.Count > 0 ? Sandboxes[0].Ips : [];

    public RuntimeContainer? Latest(string name) => Containers.FirstOrDefault(c => c.Name == name);

    /// <summary>The newest exited attempt that is not the newest of all.</summary>
    public RuntimeContainer? Previous(string name) => Containers.Where(c => c.Name == name).Skip(1).FirstOrDefault(c => c.IsExited);

    public IEnumerable<RuntimeContainer> Running => Containers.Where(c => c.IsRunning);
}
