using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Core;

internal sealed class NodeRules : KindRules<Node>
{
    public override bool HasStatus => true;

    public override bool SelectsNamespace => false;

    public override IReadOnlyList<SelectableField> SelectableFields => [new("spec.unschedulable", Absent: "false")];

    public override IReadOnlyList<TableColumn> Columns =>
    [
        new("Status"), new("Roles"), new("Age"), new("Version"),
        new("Internal-IP", Priority: 1), new("External-IP", Priority: 1), new("OS-Image", Priority: 1), new("Kernel-Version", Priority: 1), new("Container-Runtime", Priority: 1),
    ];

    protected override void Default(Node value)
    {
        if (value.Status.Allocatable is null && value.Status.Capacity is { Count: > 0 } capacity)
        {
            value.Status.Allocatable = new Dictionary<string, Quantity>(capacity, StringComparer.Ordinal);
        }
    }

    protected override void Validate(RuleContext context, Node value, ErrorList errors)
    {
        for (var i = 0; i < value.Spec.Taints?.Count; i++)
        {
            var taint = value.Spec.Taints[i];
            var path = FieldPath.Spec.Child("taints").Index(i);
            Names.CheckLabelKey(errors, path.Child("key"), taint.Key);
            if (taint.Effect is not ("NoSchedule" or "PreferNoSchedule" or "NoExecute"))
            {
                errors.NotSupported(path.Child("effect"), taint.Effect, "NoSchedule", "PreferNoSchedule", "NoExecute");
            }
        }

        foreach (var cidr in value.Spec.PodCIDRs ?? [])
        {
            if (!System.Net.IPNetwork.TryParse(cidr, out _))
            {
                errors.Invalid(FieldPath.Spec.Child("podCIDRs"), cidr, "is no address range such as 10.200.0.0/24");
            }
        }
    }

    protected override void ValidateUpdate(RuleContext context, Node value, Node old, ErrorList errors)
    {
        Validate(context, value, errors);
        if (old.Spec.PodCIDRs is { Count: > 0 } && !old.Spec.PodCIDRs.SequenceEqual(value.Spec.PodCIDRs ?? []))
        {
            errors.Forbidden(FieldPath.Spec.Child("podCIDRs"), "node updates may not change podCIDR except from \"\" to valid");
        }

        if (old.Spec.ProviderID.Length > 0 && old.Spec.ProviderID != value.Spec.ProviderID)
        {
            errors.Forbidden(FieldPath.Spec.Child("providerID"), "node updates may not change providerID except from \"\" to valid");
        }
    }

    protected override IReadOnlyList<object?> Cells(Node value, DateTimeOffset now) =>
    [
        value.Metadata.Name,
        StatusOf(value),
        RolesOf(value),
        Ages.Since(value.Metadata.CreationTimestamp, now),
        value.Status.NodeInfo.KubeletVersion,
        AddressOf(value, "InternalIP"),
        AddressOf(value, "ExternalIP"),
        TableText.Or(value.Status.NodeInfo.OsImage, "<unknown>"),
        TableText.Or(value.Status.NodeInfo.KernelVersion, "<unknown>"),
        TableText.Or(value.Status.NodeInfo.ContainerRuntimeVersion, "<unknown>"),
    ];

    private static string StatusOf(Node value)
    {
        var ready = value.Status.Conditions?.FirstOrDefault(c => c.Type == "Ready");
        var text = ready is null ? "Unknown" : ready.Status == "True" ? "Ready" : "NotReady";
        return value.Spec.Unschedulable ? text + ",SchedulingDisabled" : text;
    }

    private static string RolesOf(Node value)
    {
        const string prefix = "node-role.kubernetes.io/";
        var roles = (value.Metadata.Labels ?? []).Where(l => l.Key.StartsWith(prefix, StringComparison.Ordinal) && l.Key.Length > prefix.Length).Select(l => l.Key[prefix.Length..])
            .Concat((value.Metadata.Labels ?? []).Where(l => l.Key == "kubernetes.io/role" && l.Value.Length > 0).Select(l => l.Value));
        return TableText.Or(string.Join(",", roles.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)), TableText.None);
    }

    private static string AddressOf(Node value, string type) => TableText.Or(value.Status.Addresses?.FirstOrDefault(a => a.Type == type)?.Address, TableText.None);
}
