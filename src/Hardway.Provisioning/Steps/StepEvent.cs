namespace Hardway.Provisioning.Steps;

public enum StepState
{
    Pending,
    Checking,
    Applying,
    Verifying,

    /// <summary>It was so already.</summary>
    Unchanged,

    /// <summary>Applied and verified.</summary>
    Changed,

    Failed,

    /// <summary>Not tried: something that it needs failed.</summary>
    Blocked,
}

/// <summary>A step's progress, for whoever shows it. <see cref="Machine"/> is empty for steps of the jumpbox and of the cluster as a whole.</summary>
public sealed record StepEvent(string Step, string Machine, StepState State, TimeSpan Elapsed, string Detail);
