using Hardway.Api.Networking.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Networking;

internal sealed class NetworkPolicyRules : KindRules<NetworkPolicy>
{
    public override bool HasGeneration => true;

    public override IReadOnlyList<TableColumn> Columns => [new("Pod-Selector"), new("Age")];

    protected override void Default(NetworkPolicy value)
    {
        foreach (var port in (value.Spec.Ingress ?? []).SelectMany(r => r.Ports ?? []).Concat((value.Spec.Egress ?? []).SelectMany(r => r.Ports ?? [])))
        {
            port.Protocol ??= "TCP";
        }

        if (value.Spec.PolicyTypes is not { Count: > 0 })
        {
            value.Spec.PolicyTypes = value.Spec.Egress is { Count: > 0 } ? ["Ingress", "Egress"] : ["Ingress"];
        }
    }

    protected override void Validate(RuleContext context, NetworkPolicy value, ErrorList errors)
    {
        var spec = value.Spec;
        WorkloadValidation.LabelSelector(errors, FieldPath.Spec.Child("podSelector"), spec.PodSelector);
        for (var i = 0; i < spec.Ingress?.Count; i++)
        {
            Rule(spec.Ingress[i].Ports, spec.Ingress[i].From, FieldPath.Spec.Child("ingress").Index(i), "from", errors);
        }

        for (var i = 0; i < spec.Egress?.Count; i++)
        {
            Rule(spec.Egress[i].Ports, spec.Egress[i].To, FieldPath.Spec.Child("egress").Index(i), "to", errors);
        }

        if (spec.PolicyTypes?.Count > 2)
        {
            errors.Invalid(FieldPath.Spec.Child("policyTypes"), string.Join(",", spec.PolicyTypes), "may not specify more than two policyTypes");
            return;
        }

        for (var i = 0; i < spec.PolicyTypes?.Count; i++)
        {
            if (spec.PolicyTypes[i] is not ("Ingress" or "Egress"))
            {
                errors.NotSupported(FieldPath.Spec.Child("policyTypes").Index(i), spec.PolicyTypes[i], "Egress", "Ingress");
            }
        }
    }

    protected override IReadOnlyList<object?> Cells(NetworkPolicy value, DateTimeOffset now) =>
        [value.Metadata.Name, TableText.Of(value.Spec.PodSelector), Ages.Since(value.Metadata.CreationTimestamp, now)];

    private static void Rule(List<NetworkPolicyPort>? ports, List<NetworkPolicyPeer>? peers, FieldPath path, string direction, ErrorList errors)
    {
        for (var i = 0; i < ports?.Count; i++)
        {
            Port(ports[i], path.Child("ports").Index(i), errors);
        }

        for (var i = 0; i < peers?.Count; i++)
        {
            Peer(peers[i], path.Child(direction).Index(i), errors);
        }
    }

    private static void Port(NetworkPolicyPort port, FieldPath path, ErrorList errors)
    {
        if (port.Protocol is { } protocol && protocol is not ("TCP" or "UDP" or "SCTP"))
        {
            errors.NotSupported(path.Child("protocol"), protocol, "SCTP", "TCP", "UDP");
        }

        if (port.Port is not { } number)
        {
            if (port.EndPort is not null)
            {
                errors.Invalid(path.Child("endPort"), port.EndPort, "may not be specified when `port` is not specified");
            }

            return;
        }

        if (!number.IsInt)
        {
            if (port.EndPort is not null)
            {
                errors.Invalid(path.Child("endPort"), port.EndPort, "may not be specified when `port` is non-numeric");
            }

            Names.CheckPortName(errors, path.Child("port"), number.StringValue);
            return;
        }

        Names.CheckPort(errors, path.Child("port"), number.IntValue);
        if (port.EndPort < number.IntValue)
        {
            errors.Invalid(path.Child("endPort"), port.EndPort, "must be greater than or equal to `port`");
        }
        else if (port.EndPort is { } end)
        {
            Names.CheckPort(errors, path.Child("endPort"), end);
        }
    }

    private static void Peer(NetworkPolicyPeer peer, FieldPath path, ErrorList errors)
    {
        WorkloadValidation.LabelSelector(errors, path.Child("podSelector"), peer.PodSelector);
        WorkloadValidation.LabelSelector(errors, path.Child("namespaceSelector"), peer.NamespaceSelector);
        var peers = (peer.PodSelector is null ? 0 : 1) + (peer.NamespaceSelector is null ? 0 : 1);
        if (peers == 0 && peer.IpBlock is null)
        {
            errors.Required(path, "must specify a peer");
        }
        else if (peers > 0 && peer.IpBlock is not null)
        {
            errors.Forbidden(path, "may not specify both ipBlock and another peer");
        }

        if (peer.IpBlock is { } block)
        {
            Block(block, path.Child("ipBlock"), errors);
        }
    }

    private static void Block(IPBlock block, FieldPath path, ErrorList errors)
    {
        if (block.Cidr.Length == 0)
        {
            errors.Required(path.Child("cidr"));
            return;
        }

        if (!IpForms.TryParseRange(block.Cidr, out var network))
        {
            errors.Invalid(path.Child("cidr"), block.Cidr, "is no address range such as 10.0.0.0/8");
            return;
        }

        for (var i = 0; i < block.Except?.Count; i++)
        {
            var at = path.Child("except").Index(i);
            if (!IpForms.TryParseRange(block.Except[i], out var except))
            {
                errors.Invalid(at, block.Except[i], "is no address range such as 10.1.0.0/16");
            }
            else if (!network.Contains(except.BaseAddress) || except.PrefixLength <= network.PrefixLength)
            {
                errors.Invalid(at, block.Except[i], "must be a strict subset of `cidr`");
            }
        }
    }
}
