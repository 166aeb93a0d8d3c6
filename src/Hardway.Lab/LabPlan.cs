using System.Net;
using System.Text.RegularExpressions;
using Hardway.Hosting;

namespace Hardway.Lab;

/// <summary>A machine of the lab: what its image's DHCP would have told it, and nothing of its role.</summary>
public sealed record LabMachine(string Name, IPAddress Address)
{
    /// <summary>Name of its network namespace and of the host's end of its cable.</summary>
    public string Link => "hw-" + Name;
}

/// <summary>The machines of a lab and the network they share. Checked at construction: a name becomes an interface, a folder and a cgroup.</summary>
public sealed partial class LabPlan
{
    public const string Bridge = "hw0";
    public const string Subnet = "10.240.0.0/24";
    public const string Gateway = "10.240.0.1";

    /// <summary>Everything that Pods and machines may send from, for the masquerade towards the outside.</summary>
    public const string PodSupernet = "10.200.0.0/16";

    public LabPlan(IReadOnlyList<LabMachine> machines)
    {
        var subnet = IPNetwork.Parse(Subnet);
        foreach (var machine in machines)
        {
            if (!NamePattern().IsMatch(machine.Name))
                throw new ComponentException($"machine name '{machine.Name}': at most 12 of a-z, 0-9 and '-', starting with a letter (it names an interface)");
            if (!subnet.Contains(machine.Address) || machine.Address.ToString() is Gateway or "10.240.0.0" or "10.240.0.255")
                throw new ComponentException($"machine {machine.Name}: address {machine.Address} is not a free one of the lab's subnet {Subnet}");
        }
        if (machines.GroupBy(m => m.Name).FirstOrDefault(g => g.Count() > 1) is { } name) throw new ComponentException($"two machines are named {name.Key}");
        if (machines.GroupBy(m => m.Address).FirstOrDefault(g => g.Count() > 1) is { } address) throw new ComponentException($"two machines have the address {address.Key}");
        Machines = machines;
    }

    public IReadOnlyList<LabMachine> Machines { get; }

    public LabMachine Find(string name) =>
        Machines.FirstOrDefault(m => m.Name == name) ??
        throw new ComponentException($"there is no machine '{name}' in the lab; it has {string.Join(", ", Machines.Select(m => m.Name))}");

    [GeneratedRegex("^[a-z][a-z0-9-]{0,11}$")]
    private static partial Regex NamePattern();
}
