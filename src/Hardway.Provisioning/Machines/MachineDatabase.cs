using System.Net;
using Hardway.Hosting;

namespace Hardway.Provisioning.Machines;

/// <summary>
/// The machine database (machines.txt), one line a machine: <c>IPV4_ADDRESS FQDN HOSTNAME POD_SUBNET</c>. Blank lines and comments (# to the end
/// of the line) are passed over. The role is told by the host name; only nodes need a Pod subnet. Immutable and complete: when something
/// is wrong, reading it throws with every error, each with its line number.
/// </summary>
public sealed class MachineDatabase
{
    private MachineDatabase(string text, IReadOnlyList<Machine> machines)
    {
        Text = text;
        Machines = machines;
        Servers = [.. machines.Where(m => m.Role == MachineRole.Server)];
        Nodes = [.. machines.Where(m => m.Role == MachineRole.Node)];
        LoadBalancer = machines.FirstOrDefault(m => m.Role == MachineRole.LoadBalancer);
    }

    /// <summary>The text that it was read from.</summary>
    public string Text { get; }

    public IReadOnlyList<Machine> Machines { get; }

    public IReadOnlyList<Machine> Servers { get; }

    public IReadOnlyList<Machine> Nodes { get; }

    public Machine? LoadBalancer { get; }

    /// <summary>The DNS domain that the machines share.</summary>
    public string Domain => Machines[0].Fqdn[(Machines[0].Fqdn.IndexOf('.', StringComparison.Ordinal) + 1)..];

    /// <summary>Where clients find the API: the load balancer, or the only server.</summary>
    public Machine Endpoint => LoadBalancer ?? Servers[0];

    /// <param name="path">The file.</param>
    /// <param name="changing">As in <see cref="Parse"/>.</param>
    public static MachineDatabase Read(string path, bool changing = false)
    {
        if (!File.Exists(path))
        {
            throw new ComponentException($"{path}: no such file; write one line a machine: IPV4_ADDRESS FQDN HOSTNAME POD_SUBNET");
        }

        return new FileInfo(path).Length <= 1 << 20
            ? Parse(File.ReadAllText(path), path, changing: changing)
            : throw new ComponentException($"{path}: larger than 1 MiB; it takes one line a machine");
    }

    /// <param name="text">The lines.</param>
    /// <param name="name">What the lines are called in errors.</param>
    /// <param name="reserved">Networks that are taken by something else, with their names: the Service range.</param>
    /// <param name="changing">Whether these are the machines of a cluster that gains and loses servers one by one, so that there may be an even number of them for a while.</param>
    public static MachineDatabase Parse(string text, string name = "machines.txt", IReadOnlyList<(string Name, IPNetwork Network)>? reserved = null, bool changing = false)
    {
        var reader = new MachineLineReader(name);
        var number = 0;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            reader.Read(line.ToString(), ++number);
        }

        new MachineDatabaseValidator(name, reserved ?? [("Service range", IPNetwork.Parse(ClusterAddresses.ServiceRange))], reader.Errors, changing).Validate(reader.Machines);
        return reader.Errors.Count == 0
            ? new MachineDatabase(text, reader.Machines)
            : throw new ComponentException(string.Join('\n', reader.Errors));
    }

    /// <summary>These machines and one more, as a line at the end; everything else of the text stays.</summary>
    public MachineDatabase With(string line) => Parse(Text.TrimEnd('\n') + "\n" + line + "\n", line, changing: true);

    /// <summary>These machines without that one; everything else of the text stays.</summary>
    public MachineDatabase Without(Machine machine) => Parse(string.Join('\n', Text.Split('\n').Where((_, i) => i + 1 != machine.Line)), $"the machines without {machine}", changing: true);

    public Machine? Find(string hostName)
        => Machines.FirstOrDefault(m => m.HostName == hostName || m.Fqdn == hostName || m.Address.ToString() == hostName);
}
