using Hardway.Api;
using Hardway.Api.AdmissionRegistration.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>
/// Tells in a policy's status which of its expressions do not fit a kind that it is for. Policies for all kinds or for kinds the schema does
/// not know (custom ones) are not judged. Keys are policies.
/// </summary>
internal sealed class ValidatingAdmissionPolicyStatusController : ClusterController
{
    private readonly Informer<ValidatingAdmissionPolicy> _policies;

    public ValidatingAdmissionPolicyStatusController(ControllerContext context) : base("validatingadmissionpolicy-status-controller", "validatingadmissionpolicy-status-controller", context)
    {
        _policies = Watch<ValidatingAdmissionPolicy>();
        _policies.AddHandler(p => Queue.Add(p.Metadata.Name), (_, p) => Queue.Add(p.Metadata.Name));
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_policies.Store.Get(key) is not { } policy || policy.Metadata.Generation <= policy.Status.ObservedGeneration) return;
        var changed = policy.Clone();
        changed.Status.ObservedGeneration = policy.Metadata.Generation;
        changed.Status.TypeChecking = new TypeChecking { ExpressionWarnings = PolicyTypeCheck.Warnings(policy) is { Count: > 0 } warnings ? warnings : null };
        await Client.UpdateStatusAsync(changed, cancellationToken);
    }
}
