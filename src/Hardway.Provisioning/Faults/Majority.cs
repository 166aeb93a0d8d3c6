using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

/// <summary>Where machines must agree and do not: those that differ from what most say.</summary>
internal static class Majority
{
    public static IEnumerable<Machine> Minority(IEnumerable<(Machine Machine, MachineFacts Facts)> machines, Func<MachineFacts, string> say)
    {
        var groups = machines.GroupBy(m => say(m.Facts), m => m.Machine).OrderByDescending(g => g.Count()).ToList();
        return groups.Skip(1).SelectMany(g => g);
    }
}
