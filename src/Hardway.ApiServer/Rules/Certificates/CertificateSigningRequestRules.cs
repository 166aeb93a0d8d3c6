using Hardway.Api;
using Hardway.Api.Certificates.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Certificates;

/// <summary>
/// Requests for certificates. Who asks is written down by the server, never by the client, and nothing of spec changes afterwards: approvers and signers
/// decide by it. Approval writes conditions, status writes the certificate and the condition Failed.
/// </summary>
internal sealed class CertificateSigningRequestRules : KindRules<CertificateSigningRequest>
{
    public override bool HasStatus => true;

    public override bool SelectsNamespace => false;

    public override IReadOnlyList<SelectableField> SelectableFields => [new("spec.signerName")];

    public override IReadOnlyList<TableColumn> Columns => [new("Age"), new("SignerName"), new("Requestor"), new("RequestedDuration"), new("Condition")];

    public override bool WritesStatus(string subresource) => subresource is "status" or "approval";

    protected override void PrepareForCreate(RuleContext context, CertificateSigningRequest value)
    {
        value.Status = new CertificateSigningRequestStatus();
        var spec = value.Spec;
        (spec.Username, spec.Uid) = (context.User.Name, context.User.Uid);
        spec.Groups = context.User.Groups is { Count: > 0 } groups ? [.. groups] : null;
        spec.Extra = context.User.Extra is { Count: > 0 } extra ? extra.ToDictionary(e => e.Key, e => e.Value.ToList(), StringComparer.Ordinal) : null;
    }

    protected override void PrepareForUpdate(RuleContext context, CertificateSigningRequest value, CertificateSigningRequest old)
    {
        value.Spec = old.Spec.Clone();
        switch (context.Subresource)
        {
            case "status":
                KeepDecisions(value.Status, old.Status);
                break;
            case "approval":
                value.Status.Certificate = old.Status.Certificate;
                break;
        }

        SetTimes(value.Status, old.Status, context.Now);
    }

    protected override void Validate(RuleContext context, CertificateSigningRequest value, ErrorList errors) => CertificateSigningRequestValidation.Spec(value.Spec, errors);

    protected override void ValidateUpdate(RuleContext context, CertificateSigningRequest value, CertificateSigningRequest old, ErrorList errors) =>
        CertificateSigningRequestValidation.Status(value.Status, old.Status, errors);

    protected override IReadOnlyList<object?> Cells(CertificateSigningRequest value, DateTimeOffset now) =>
    [
        value.Metadata.Name, Ages.Since(value.Metadata.CreationTimestamp, now), TableText.Or(value.Spec.SignerName, TableText.None), value.Spec.Username,
        value.Spec.ExpirationSeconds is { } seconds ? Ages.Show(TimeSpan.FromSeconds(seconds)) : TableText.None, Condition(value.Status),
    ];

    /// <summary>Whether it was approved is the approval's to say.</summary>
    private static void KeepDecisions(CertificateSigningRequestStatus status, CertificateSigningRequestStatus old)
    {
        static bool IsDecision(CertificateSigningRequestCondition c) => c.Type is "Approved" or "Denied";
        var conditions = (old.Conditions ?? []).Where(IsDecision).Concat((status.Conditions ?? []).Where(c => !IsDecision(c))).ToList();
        status.Conditions = conditions.Count > 0 ? conditions : null;
    }

    private static void SetTimes(CertificateSigningRequestStatus status, CertificateSigningRequestStatus old, DateTimeOffset now)
    {
        foreach (var condition in status.Conditions ?? [])
        {
            condition.Status = condition.Status.Length == 0 ? "True" : condition.Status;
            condition.LastUpdateTime ??= CreatePipeline.Seconds(now);
            var before = old.Conditions?.Find(c => c.Type == condition.Type && c.Status == condition.Status);
            condition.LastTransitionTime ??= before?.LastTransitionTime ?? CreatePipeline.Seconds(now);
        }
    }

    private static string Condition(CertificateSigningRequestStatus status)
    {
        bool Has(string type) => status.Conditions?.Exists(c => c.Type == type) == true;
        var text = Has("Denied") ? "Denied" : Has("Approved") ? "Approved" : "Pending";
        return text + (Has("Failed") ? ",Failed" : "") + (status.Certificate is { Length: > 0 } ? ",Issued" : "");
    }
}
