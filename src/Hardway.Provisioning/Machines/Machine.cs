using System.Net;

namespace Hardway.Provisioning.Machines;

public enum MachineRole
{
    LoadBalancer,
    Server,
    Node,
}

/// <summary>One line of the machine database.</summary>
public sealed record Machine(IPAddress Address, string Fqdn, string HostName, IPNetwork? PodSubnet, MachineRole Role, int Line)
{
    public override string ToString() => HostName;
}
