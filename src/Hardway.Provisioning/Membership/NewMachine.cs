using System.Buffers.Binary;
using System.Net;
using Hardway.Hosting;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Membership;

/// <summary>What is said of a machine that is to join, and what of it can be chosen: the next address after those of its role, the next Pod subnet that is free.</summary>
public static class NewMachine
{
    /// <summary>The machines with that one. A name that is there already stays as it is: joining goes on where it was interrupted.</summary>
    /// <param name="machines">Those that there are.</param>
    /// <param name="role">Node or server.</param>
    /// <param name="name">Its host name.</param>
    /// <param name="address">Null: the next one after those of its role.</param>
    /// <param name="podSubnet">Null: for a node the next free one, as large as the last node's.</param>
    public static MachineDatabase Join(MachineDatabase machines, MachineRole role, string name, string? address, string? podSubnet)
    {
        if (machines.Find(name) is { } known)
        {
            return known.Role != role ? throw new ComponentException($"{name} is in the cluster already, as a {Word(known.Role)}")
                : address is not null && address != known.Address.ToString() ? throw new ComponentException($"{name} is in the cluster already, at {known.Address}")
                : machines;
        }

        var peers = role == MachineRole.Node ? machines.Nodes : machines.Servers;
        address ??= NextAddress(machines, peers[^1].Address).ToString();
        var subnet = role == MachineRole.Node ? podSubnet ?? NextSubnet(machines).ToString() : podSubnet ?? "-";
        return machines.With($"{address} {name}.{machines.Domain} {name} {subnet} {Word(role)}");
    }

    internal static IPAddress NextAddress(MachineDatabase machines, IPAddress last)
    {
        for (var bits = ToBits(last) + 1; ; bits++)
        {
            if ((bits & 255) is not (0 or 255) && machines.Machines.All(m => ToBits(m.Address) != bits))
            {
                return ToAddress(bits);
            }
        }
    }

    internal static IPNetwork NextSubnet(MachineDatabase machines)
    {
        var last = machines.Nodes[^1].PodSubnet!.Value;
        for (var bits = ToBits(last.BaseAddress); ;)
        {
            bits += 1u << (32 - last.PrefixLength);
            var subnet = new IPNetwork(ToAddress(bits), last.PrefixLength);
            if (machines.Nodes.All(n => !MachineDatabaseValidator.Overlap(n.PodSubnet!.Value, subnet)))
            {
                return subnet;
            }
        }
    }

    private static string Word(MachineRole role) => role switch { MachineRole.Node => "node", MachineRole.Server => "server", _ => "lb" };

    private static uint ToBits(IPAddress address) => BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes());

    private static IPAddress ToAddress(uint bits)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, bits);
        return new IPAddress(bytes);
    }
}
