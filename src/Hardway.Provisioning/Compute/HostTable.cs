using System.Text;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Compute;

/// <summary>The host lookup table, and how it is kept in a hosts file: between two marker lines, once, everything else untouched.</summary>
internal static class HostTable
{
    public const string Begin = "# hardway begin";
    public const string End = "# hardway end";

    public static string Render(MachineDatabase machines)
    {
        var text = new StringBuilder(Begin).Append('\n');
        foreach (var machine in machines.Machines)
        {
            text.Append(machine.Address).Append(' ').Append(machine.Fqdn).Append(' ').Append(machine.HostName);
            var endpoint = $"server.{machines.Domain}";
            if (machine == machines.Endpoint && machine.Fqdn != endpoint)
            {
                text.Append(' ').Append(endpoint);
            }

            text.Append('\n');
        }

        return text.Append(End).Append('\n').ToString();
    }

    /// <summary>The file's text with the block put in place of an older one, or at its end; null removes it.</summary>
    public static string Merge(string hosts, string? block)
    {
        var kept = new StringBuilder();
        var inside = false;
        foreach (var line in hosts.Split('\n'))
        {
            inside |= line == Begin;
            if (!inside)
            {
                kept.Append(line).Append('\n');
            }

            inside &= line != End;
        }

        // Split gave one empty piece behind the last newline.
        var rest = kept.ToString().TrimEnd('\n');
        return (rest.Length > 0 ? rest + "\n" : "") + block;
    }
}
