using System.Globalization;
using System.Net.Sockets;
using System.Net;
using System.Text.RegularExpressions;

namespace Hardway.Provisioning.Machines;

/// <summary>Reads single lines of the machine database and collects what is wrong with each for itself.</summary>
internal sealed partial class MachineLineReader(string name)
{
    private const int _mostMachines = 5000;

    public List<Machine> Machines { get; } = [];

    public List<string> Errors { get; } = [];

    public void Read(string line, int number)
    {
        var comment = line.IndexOf('#', StringComparison.Ordinal);
        var fields = (comment < 0 ? line : line[..comment]).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length == 0)
        {
            return;
        }

        if (fields.Length is < 3 or > 5 || Machines.Count >= _mostMachines)
        {
            Error(number, fields.Length is < 3 or > 5
                ? $"{fields.Length} fields; a line is IPV4_ADDRESS FQDN HOSTNAME POD_SUBNET"
                : $"more than {_mostMachines} machines");
            return;
        }

        var before = Errors.Count;
        var address = Address(fields[0], number);
        var fqdn = fields[1].ToLowerInvariant();
        var host = fields[2].ToLowerInvariant();
        Names(fqdn, host, number);
        var role = Role(fields.Length > 4 ? fields[4] : host);
        if (role is null)
        {
            Error(number, $"no role is told by \"{(fields.Length > 4 ? fields[4] : host)}\"; "
                + "name the machine lb*, server* (controlplane*, master*) or node* (worker*), or give the role as a fifth field");
        }

        var subnet = Subnet(fields.Length > 3 ? fields[3] : "-", number, role == MachineRole.Node, host);
        if (Errors.Count == before)
        {
            Machines.Add(new Machine(address!, fqdn, host, subnet, role!.Value, number));
        }
    }

    private static MachineRole? Role(string word) => word.ToLowerInvariant() switch
    {
        var w when w.StartsWith("lb", StringComparison.Ordinal) || w.StartsWith("loadbalancer", StringComparison.Ordinal) => MachineRole.LoadBalancer,
        var w when w.StartsWith("server", StringComparison.Ordinal) || w.StartsWith("controlplane", StringComparison.Ordinal)
            || w.StartsWith("master", StringComparison.Ordinal) => MachineRole.Server,
        var w when w.StartsWith("node", StringComparison.Ordinal) || w.StartsWith("worker", StringComparison.Ordinal) => MachineRole.Node,
        _ => null,
    };

    private IPAddress? Address(string text, int number)
    {
        // IPAddress.TryParse takes "10.1" and hexadecimal numbers; a machine database has four decimal parts.
        if (!DottedQuad().IsMatch(text) || !IPAddress.TryParse(text, out var address) || address.AddressFamily != AddressFamily.InterNetwork
            || text.Split('.').Any(p => int.Parse(p, CultureInfo.InvariantCulture) > 255))
        {
            Error(number, $"\"{text}\" is not an IPv4 address such as 10.240.0.70");
            return null;
        }

        if (IPAddress.IsLoopback(address) || address.Equals(IPAddress.Any) || address.GetAddressBytes()[0] >= 224)
        {
            Error(number, $"{text} cannot be a machine's address (loopback, multicast or unspecified)");
            return null;
        }

        return address;
    }

    private void Names(string fqdn, string host, int number)
    {
        if (!Label().IsMatch(host))
        {
            Error(number, $"host name \"{Shorten(host)}\" is not a DNS label (letters, digits and -, at most 63)");
        }

        if (fqdn.Length > 253 || !fqdn.Contains('.', StringComparison.Ordinal) || fqdn.Split('.').Any(l => !Label().IsMatch(l)))
        {
            Error(number, $"\"{Shorten(fqdn)}\" is not a fully qualified name such as {Shorten(host)}.kubernetes.local");
        }
        else if (!fqdn.StartsWith(host + ".", StringComparison.Ordinal))
        {
            Error(number, $"the fully qualified name {Shorten(fqdn)} does not begin with the host name {Shorten(host)}");
        }
    }

    private IPNetwork? Subnet(string text, int number, bool needed, string host)
    {
        if (text == "-")
        {
            if (needed)
            {
                Error(number, $"node {Shorten(host)} has no Pod subnet; give it one of its own, such as 10.200.0.0/24");
            }

            return null;
        }

        if (!IPNetwork.TryParse(text, out var subnet) || subnet.BaseAddress.AddressFamily != AddressFamily.InterNetwork)
        {
            Error(number, $"\"{Shorten(text)}\" is not a subnet such as 10.200.0.0/24");
            return null;
        }

        if (subnet.ToString() != text)
        {
            Error(number, $"Pod subnet {text} has bits set behind its prefix; write {subnet}");
            return null;
        }

        if (subnet.PrefixLength is < 8 or > 29)
        {
            Error(number, $"Pod subnet {text}: the prefix must be between /8 and /29");
            return null;
        }

        return subnet;
    }

    private void Error(int number, string message) => Errors.Add($"{name}:{number}: {message}");

    private static string Shorten(string text) => text.Length <= 80 ? text : text[..80] + "...";

    [GeneratedRegex(@"^\d{1,3}(\.\d{1,3}){3}$", RegexOptions.CultureInvariant)]
    private static partial Regex DottedQuad();

    [GeneratedRegex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", RegexOptions.CultureInvariant)]
    private static partial Regex Label();
}
