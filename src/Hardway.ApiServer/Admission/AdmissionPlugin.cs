namespace Hardway.ApiServer.Admission;

[Flags]
internal enum AdmissionOperation
{
    None = 0,
    Create = 1,
    Update = 2,
    Delete = 4,
    Connect = 8,
    All = 15,
}

/// <summary>
/// A say in every write: may change the object (<see cref="AdmitAsync"/>, all plugins first), then look at the outcome
/// (<see cref="ValidateAsync"/>). Refuses by throwing an ApiException. Called by many requests at once.
/// </summary>
internal abstract class AdmissionPlugin
{
    /// <summary>As in --enable-admission-plugins.</summary>
    public abstract string Name { get; }

    public virtual AdmissionOperation Operations => AdmissionOperation.Create | AdmissionOperation.Update;

    public virtual ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public virtual ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken cancellationToken) => ValueTask.CompletedTask;
}
