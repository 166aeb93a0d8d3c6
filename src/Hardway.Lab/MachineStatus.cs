namespace Hardway.Lab;

public enum MachineState
{
    /// <summary>The lab has made nothing of it.</summary>
    Absent,

    /// <summary>Its disk is there, it does not run.</summary>
    Stopped,

    /// <summary>It runs and its SSH server does not answer (yet).</summary>
    Booting,

    Running,
}

/// <summary>What the host sees of a machine.</summary>
public sealed record MachineStatus(LabMachine Machine, MachineState State, int? LeaderPid);
