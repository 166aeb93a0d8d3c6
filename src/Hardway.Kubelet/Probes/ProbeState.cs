namespace Hardway.Kubelet.Probes;

internal enum ProbeKind { Liveness, Readiness, Startup }

internal enum ProbeOutcome { Unknown, Success, Failure }

/// <summary>
/// What one probe of one container has come to: counts equal outcomes in a row and changes its verdict at the thresholds.
/// A liveness or startup probe that failed holds still until the container is another one, so that a container that is being
/// killed is not judged again.
/// <code>
///                  successThreshold × success
///      ┌─────────┐ ─────────────────────────► ┌─────────┐
///      │ Failure │                            │ Success │
///      └─────────┘ ◄───────────────────────── └─────────┘
///                  failureThreshold × failure
/// </code>
/// One thread at a time.
/// </summary>
internal sealed class ProbeState(ProbeKind kind, int successThreshold, int failureThreshold)
{
    private ProbeOutcome _last = ProbeOutcome.Unknown;
    private int _run;

    public ProbeOutcome Verdict { get; private set; } = Initial(kind);

    public bool OnHold { get; private set; }

    public string ContainerId { get; private set; } = "";

    /// <summary>Another container took the place: its story starts anew. True when the verdict changed by that.</summary>
    public bool Follow(string containerId)
    {
        if (ContainerId == containerId)
            return false;
        ContainerId = containerId;
        OnHold = false;
        _last = ProbeOutcome.Unknown;
        _run = 0;
        var before = Verdict;
        Verdict = Initial(kind);
        return before != Verdict;
    }

    /// <summary>Takes one outcome; true when the verdict changed. An unknown outcome (the probe itself broke) does not count.</summary>
    public bool Observe(ProbeOutcome outcome)
    {
        if (outcome == ProbeOutcome.Unknown || OnHold)
            return false;
        _run = outcome == _last ? _run + 1 : 1;
        _last = outcome;
        if (_run < (outcome == ProbeOutcome.Success ? successThreshold : failureThreshold))
            return false;
        if (outcome == ProbeOutcome.Failure && kind != ProbeKind.Readiness)
        {
            OnHold = true;
            _run = 0;
        }
        var changed = Verdict != outcome;
        Verdict = outcome;
        return changed;
    }

    /// <summary>Takes over a verdict that was told before this process began.</summary>
    public void Resume(ProbeOutcome verdict) => Verdict = verdict;

    /// <summary>The container does not run: it is not ready.</summary>
    public bool Stopped()
    {
        if (kind != ProbeKind.Readiness || Verdict == ProbeOutcome.Failure)
            return false;
        Verdict = ProbeOutcome.Failure;
        return true;
    }

    private static ProbeOutcome Initial(ProbeKind kind) => kind switch
    {
        ProbeKind.Liveness => ProbeOutcome.Success,
        ProbeKind.Readiness => ProbeOutcome.Failure,
        _ => ProbeOutcome.Unknown,
    };
}
