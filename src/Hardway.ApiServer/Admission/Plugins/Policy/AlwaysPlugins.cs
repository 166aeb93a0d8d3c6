using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Admission.Plugins.Policy;

/// <summary>Has no say. Kept, as command lines name it.</summary>
internal sealed class AlwaysAdmit : AdmissionPlugin
{
    public override string Name => "AlwaysAdmit";

    public override AdmissionOperation Operations => AdmissionOperation.None;
}

internal sealed class AlwaysDeny : AdmissionPlugin
{
    public override string Name => "AlwaysDeny";

    public override AdmissionOperation Operations => AdmissionOperation.All;

    public override ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken cancellationToken) =>
        throw Statuses.Forbidden(attributes.Group, attributes.Resource, attributes.Name, "admission control is denying all modifications");
}
