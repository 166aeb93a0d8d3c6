using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Hardway.Api.Discovery.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Discovery;

internal sealed class EndpointSliceRules : KindRules<EndpointSlice>
{
    private const int MaxEndpoints = 1000;
    private const int MaxPorts = 20000;

    public override bool HasGeneration => true;

    public override IReadOnlyList<string> GenerationFields => ["addressType", "endpoints", "ports"];

    public override IReadOnlyList<TableColumn> Columns => [new("AddressType"), new("Ports"), new("Endpoints"), new("Age")];

    protected override void Default(EndpointSlice value)
    {
        foreach (var port in value.Ports ?? [])
        {
            port.Name ??= "";
            port.Protocol ??= "TCP";
        }
    }

    protected override void Validate(RuleContext context, EndpointSlice value, ErrorList errors)
    {
        if (value.AddressType.Length == 0)
        {
            errors.Required(FieldPath.Of("addressType"));
        }
        else if (value.AddressType is not ("IPv4" or "IPv6" or "FQDN"))
        {
            errors.NotSupported(FieldPath.Of("addressType"), value.AddressType, "FQDN", "IPv4", "IPv6");
        }

        if (value.Endpoints?.Count > MaxEndpoints)
        {
            errors.TooMany(FieldPath.Of("endpoints"), value.Endpoints.Count, MaxEndpoints);
            return;
        }

        for (var i = 0; i < value.Endpoints?.Count; i++)
        {
            Check(value.Endpoints[i], value.AddressType, FieldPath.Of("endpoints").Index(i), errors);
        }

        Ports(value.Ports, errors);
    }

    protected override void ValidateUpdate(RuleContext context, EndpointSlice value, EndpointSlice old, ErrorList errors)
    {
        Validate(context, value, errors);
        WorkloadValidation.Immutable(errors, FieldPath.Of("addressType"), value.AddressType, old.AddressType);
    }

    protected override IReadOnlyList<object?> Cells(EndpointSlice value, DateTimeOffset now) =>
    [
        value.Metadata.Name,
        value.AddressType,
        value.Ports is not { Count: > 0 } ports ? "<unset>" : TableText.FirstThree([.. ports.Select(p => p.Port is { } n ? n.ToString(CultureInfo.InvariantCulture) : p.Name ?? "*")]),
        value.Endpoints is not { Count: > 0 } endpoints ? "<unset>" : TableText.FirstThree([.. endpoints.SelectMany(e => e.Addresses ?? [])]),
        Ages.Since(value.Metadata.CreationTimestamp, now),
    ];

    private static void Check(Endpoint endpoint, string type, FieldPath path, ErrorList errors)
    {
        if (endpoint.Addresses is not { Count: > 0 })
        {
            errors.Required(path.Child("addresses"), "must contain at least 1 address");
        }
        else if (endpoint.Addresses.Count > 100)
        {
            errors.TooMany(path.Child("addresses"), endpoint.Addresses.Count, 100);
        }

        for (var i = 0; i < endpoint.Addresses?.Count; i++)
        {
            var address = endpoint.Addresses[i];
            var at = path.Child("addresses").Index(i);
            if (type == "FQDN")
            {
                Names.CheckDnsSubdomain(errors, at, address);
            }
            else if (!IPAddress.TryParse(address, out var ip) || ip.AddressFamily != (type == "IPv6" ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork))
            {
                errors.Invalid(at, address, $"is no {type} address");
            }
            else if (IPAddress.IsLoopback(ip) || ip.Equals(IPAddress.Any) || ip.IsIPv6LinkLocal || ip.GetAddressBytes() is [169, 254, _, _] or [224, 0, 0, _])
            {
                errors.Invalid(at, address, "may not be unspecified, loopback, link-local or link-local multicast");
            }
        }

        if (endpoint.NodeName is { } node)
        {
            Names.CheckDnsSubdomain(errors, path.Child("nodeName"), node);
        }

        if (endpoint.Hostname is { } host)
        {
            Names.CheckDnsLabel(errors, path.Child("hostname"), host);
        }
    }

    private static void Ports(List<EndpointPort>? ports, ErrorList errors)
    {
        if (ports?.Count > MaxPorts)
        {
            errors.TooMany(FieldPath.Of("ports"), ports.Count, MaxPorts);
            return;
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < ports?.Count; i++)
        {
            var at = FieldPath.Of("ports").Index(i);
            if (!names.Add(ports[i].Name ?? ""))
            {
                errors.Duplicate(at.Child("name"), ports[i].Name);
            }

            if (ports[i].Name is { Length: > 0 } name)
            {
                Names.CheckDnsLabel(errors, at.Child("name"), name);
            }

            if (ports[i].Protocol is not ("TCP" or "UDP" or "SCTP"))
            {
                errors.NotSupported(at.Child("protocol"), ports[i].Protocol, "SCTP", "TCP", "UDP");
            }
        }
    }
}
