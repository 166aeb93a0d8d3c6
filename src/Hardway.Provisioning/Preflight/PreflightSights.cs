using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Preflight;

/// <summary>Everything that was seen before `up`; what is to be said of it is <see cref="PreflightChecks"/>' matter.</summary>
internal sealed record PreflightSights(MachineDatabase Machines)
{
    public IReadOnlyDictionary<Machine, MachineFacts> Facts { get; init; } = new Dictionary<Machine, MachineFacts>();

    /// <summary>Machines that take no SSH, and why.</summary>
    public IReadOnlyDictionary<Machine, string> Silent { get; init; } = new Dictionary<Machine, string>();

    /// <summary>How each port was found: open, refused or silent.</summary>
    public IReadOnlyDictionary<PortNeed, string> Ports { get; init; } = new Dictionary<PortNeed, string>();

    /// <summary>Machines at whose ports somebody listened while they were tried.</summary>
    public IReadOnlySet<Machine> Listening { get; init; } = new HashSet<Machine>();

    /// <summary>The machines of the cluster that is there; null when there is none.</summary>
    public MachineDatabase? Former { get; init; }

    /// <summary>Certificates that exist and are not as these machines need them: name and what is wrong.</summary>
    public IReadOnlyList<string> Certificates { get; init; } = [];
}
