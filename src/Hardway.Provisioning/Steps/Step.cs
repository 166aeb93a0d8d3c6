namespace Hardway.Provisioning.Steps;

/// <summary>Whether a step's result is there already, and if not, what differs.</summary>
public sealed record StepCheck(bool InPlace, string Reason, IReadOnlyList<StepItem> Changes)
{
    public static readonly StepCheck Good = new(true, "", []);

    /// <param name="reason">In one line.</param>
    /// <param name="changes">Exactly what Apply is going to make or change.</param>
    public static StepCheck Missing(string reason, params IReadOnlyList<StepItem> changes) => new(false, reason, changes);
}

/// <summary>
/// One step of provisioning, on one machine or (<see cref="Machine"/> empty) on the jumpbox or the cluster as a whole.
/// <code>Check ── in place ──────────────► Verify ─► Unchanged
///    └─── missing ──► Apply ──► Verify ─► Changed</code>
/// Check reads the real state and changes nothing. Apply may be interrupted anywhere and run again. Verify looks from the other side: a
/// packet, a handshake, a request. Nothing is remembered in a progress file. Members of one step are called one after the other.
/// </summary>
public abstract class Step
{
    protected Step(string name, string machine, params IReadOnlyList<string> dependsOn)
    {
        Name = name;
        Machine = machine;
        DependsOn = dependsOn;
    }

    public string Name { get; }

    public string Machine { get; }

    public string Id => Machine.Length == 0 ? Name : $"{Name}@{Machine}";

    /// <summary>
    /// Names of steps that must be done before: "etcd" is the one on this machine, or where there is none, on every machine;
    /// "etcd@*" is on every machine; a question mark at the end allows that there is none.
    /// </summary>
    public IReadOnlyList<string> DependsOn { get; }

    /// <summary>What the step does and why, with this cluster's own values.</summary>
    public abstract string Explain { get; }

    /// <summary>What <see cref="VerifyAsync"/> must see.</summary>
    public abstract string Expected { get; }

    /// <summary>Everything that the step makes, and the commands with which it makes it, whether it is there already or not.</summary>
    public abstract IReadOnlyList<StepItem> Contents { get; }

    /// <summary>Whether the step changes nothing but the cluster's own directory on the jumpbox, so that a plan may try it on a copy.</summary>
    public virtual bool IsLocal => false;

    public abstract Task<StepCheck> CheckAsync(StepContext context, CancellationToken cancellation);

    public abstract Task ApplyAsync(StepContext context, CancellationToken cancellation);

    /// <summary>Throws when it is not as <see cref="Expected"/>; else says what was seen.</summary>
    public virtual Task<string> VerifyAsync(StepContext context, CancellationToken cancellation) => Task.FromResult("");

    public virtual Task UndoAsync(StepContext context, CancellationToken cancellation) => Task.CompletedTask;
}
