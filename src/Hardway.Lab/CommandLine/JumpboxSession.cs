namespace Hardway.Lab.CommandLine;

/// <summary>What the commands share: where things are and which machines there are to be.</summary>
internal sealed record JumpboxSession(LabPaths Paths, LabPlan Plan, TimeProvider Time)
{
    public MachineLab Lab => new(Paths, Plan, Time);
}
