namespace Hardway.Lab;

public enum LabEventState
{
    Started,
    Progress,
    Done,
    Failed,
}

/// <summary>Something the lab did, for a progress view: where (a machine, or "host"), what, and how long it took when it is done.</summary>
public sealed record LabEvent(string Where, string What, LabEventState State, TimeSpan Elapsed, string Detail = "");
