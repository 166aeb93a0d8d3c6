using System.Globalization;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Core;

internal sealed class EndpointsRules : KindRules<Endpoints>
{
    public override IReadOnlyList<TableColumn> Columns => [new("Endpoints"), new("Age")];

    protected override void Default(Endpoints value)
    {
        foreach (var port in (value.Subsets ?? []).SelectMany(s => s.Ports ?? []))
        {
            port.Protocol = port.Protocol.Length == 0 ? "TCP" : port.Protocol;
        }
    }

    protected override void Validate(RuleContext context, Endpoints value, ErrorList errors)
    {
        for (var i = 0; i < value.Subsets?.Count; i++)
        {
            var subset = value.Subsets[i];
            var at = FieldPath.Of("subsets").Index(i);
            if (subset.Addresses is not { Count: > 0 } && subset.NotReadyAddresses is not { Count: > 0 })
            {
                errors.Required(at, "must specify `addresses` or `notReadyAddresses`");
            }

            Addresses(subset.Addresses, at.Child("addresses"), errors);
            Addresses(subset.NotReadyAddresses, at.Child("notReadyAddresses"), errors);
            for (var p = 0; p < subset.Ports?.Count; p++)
            {
                Port(subset.Ports[p], subset.Ports.Count > 1, at.Child("ports").Index(p), errors);
            }
        }
    }

    protected override IReadOnlyList<object?> Cells(Endpoints value, DateTimeOffset now) =>
        [value.Metadata.Name, TableText.FirstThree(All(value)), Ages.Since(value.Metadata.CreationTimestamp, now)];

    private static List<string> All(Endpoints value)
    {
        var all = new List<string>();
        foreach (var subset in value.Subsets ?? [])
        {
            if (subset.Ports is not { Count: > 0 })
            {
                all.AddRange((subset.Addresses ?? []).Select(a => a.Ip));
            }

            foreach (var port in subset.Ports ?? [])
            {
                all.AddRange((subset.Addresses ?? []).Select(a => (a.Ip.Contains(':') ? "[" + a.Ip + "]" : a.Ip) + ":" + port.Port.ToString(CultureInfo.InvariantCulture)));
            }
        }

        return all;
    }

    private static void Addresses(List<EndpointAddress>? addresses, FieldPath path, ErrorList errors)
    {
        for (var i = 0; i < addresses?.Count; i++)
        {
            var address = addresses[i];
            var at = path.Index(i);
            // Two checks, and two faults for what is no address at all.
            IpForms.Check(errors, at.Child("ip"), address.Ip);
            IpForms.CheckReachable(errors, at.Child("ip"), address.Ip);

            if (address.Hostname.Length > 0)
            {
                Names.CheckDnsLabel(errors, at.Child("hostname"), address.Hostname);
            }

            if (address.NodeName is { } node)
            {
                Names.CheckDnsSubdomain(errors, at.Child("nodeName"), node);
            }
        }
    }

    private static void Port(EndpointPort port, bool needsName, FieldPath path, ErrorList errors)
    {
        if (needsName && port.Name.Length == 0)
        {
            errors.Required(path.Child("name"));
        }
        else if (port.Name.Length > 0)
        {
            Names.CheckDnsLabel(errors, path.Child("name"), port.Name);
        }

        Names.CheckPort(errors, path.Child("port"), port.Port);
        if (port.Protocol is not ("TCP" or "UDP" or "SCTP"))
        {
            errors.NotSupported(path.Child("protocol"), port.Protocol, "SCTP", "TCP", "UDP");
        }

        if (port.AppProtocol is { } app)
        {
            Names.CheckLabelKey(errors, path.Child("appProtocol"), app);
        }
    }
}
