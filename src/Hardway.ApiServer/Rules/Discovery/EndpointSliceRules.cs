using System.Globalization;
using Hardway.Api;
using Hardway.Api.Discovery.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Discovery;

internal sealed class EndpointSliceRules : KindRules<EndpointSlice>
{
    private const int MaxEndpoints = 1000;
    private const int MaxPorts = 20000;
    private const int MaxHints = 8;

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
        Type(value, errors);
        if (value.Endpoints?.Count > MaxEndpoints)
        {
            errors.TooMany(FieldPath.Of("endpoints"), value.Endpoints.Count, MaxEndpoints);
            return;
        }

        Endpoints(value, null, errors);
        Ports(value.Ports, errors);
    }

    protected override void PrepareForUpdate(RuleContext context, EndpointSlice value, EndpointSlice old)
    {
        // Labels say whose endpoints these are: they count as part of them.
        if (!ApiValues.AreEqual(value.Metadata.Labels, old.Metadata.Labels, Shape.Map<string>(Shape.String)))
        {
            value.Metadata.Generation = old.Metadata.Generation + 1;
        }
    }

    protected override void ValidateUpdate(RuleContext context, EndpointSlice value, EndpointSlice old, ErrorList errors)
    {
        Type(value, errors);
        if (value.Endpoints?.Count > MaxEndpoints)
        {
            errors.TooMany(FieldPath.Of("endpoints"), value.Endpoints.Count, MaxEndpoints);
        }
        else
        {
            Endpoints(value, old, errors);
            Ports(value.Ports, errors);
        }

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

    protected override void Warn(RuleContext context, EndpointSlice value, EndpointSlice? old)
    {
        if (value.AddressType == "FQDN")
        {
            context.Warn("addressType: FQDN endpoints are deprecated");
        }
    }

    private static void Type(EndpointSlice value, ErrorList errors)
    {
        if (value.AddressType.Length == 0)
        {
            errors.Required(FieldPath.Of("addressType"));
        }
        else if (value.AddressType is not ("IPv4" or "IPv6" or "FQDN"))
        {
            errors.NotSupported(FieldPath.Of("addressType"), value.AddressType, "FQDN", "IPv4", "IPv6");
        }
    }

    /// <summary>Endpoints that were there before are not judged again.</summary>
    private static void Endpoints(EndpointSlice value, EndpointSlice? old, ErrorList errors)
    {
        for (var i = 0; i < value.Endpoints?.Count; i++)
        {
            if (old?.Endpoints?.Exists(e => ApiStruct.DeepEquals(e, value.Endpoints[i])) != true)
            {
                Check(value.Endpoints[i], value.AddressType, FieldPath.Of("endpoints").Index(i), errors);
            }
        }
    }

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
            else if (type is "IPv4" or "IPv6")
            {
                Address(address, type, path.Child("addresses"), at, errors);
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

        Hints(endpoint.Hints, path.Child("hints"), errors);
    }

    private static void Address(string address, string type, FieldPath all, FieldPath path, ErrorList errors)
    {
        if (!IpForms.TryParse(address, out var ip))
        {
            IpForms.Check(errors, path, address);
        }
        else if (IpForms.IsSix(ip) != (type == "IPv6"))
        {
            errors.Invalid(all, address, $"must be an {type} address");
        }

        IpForms.CheckReachable(errors, path, address);
    }

    private static void Hints(EndpointHints? hints, FieldPath path, ErrorList errors)
    {
        foreach (var (field, names) in new[] { ("forZones", hints?.ForZones?.ConvertAll(z => z.Name)), ("forNodes", hints?.ForNodes?.ConvertAll(n => n.Name)) })
        {
            if (names?.Count > MaxHints)
            {
                errors.TooMany(path.Child(field), names.Count, MaxHints);
                continue;
            }

            var seen = new HashSet<string>(StringComparer.Ordinal);
            for (var i = 0; i < names?.Count; i++)
            {
                var at = path.Child(field).Index(i).Child("name");
                if (!seen.Add(names[i]))
                {
                    errors.Duplicate(at, names[i]);
                }
                else if (field == "forZones")
                {
                    Names.CheckLabelValue(errors, at, names[i]);
                }
                else
                {
                    Names.CheckDnsSubdomain(errors, at, names[i]);
                }
            }
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

            if (ports[i].AppProtocol is { } app)
            {
                Names.CheckLabelKey(errors, at.Child("appProtocol"), app);
            }
        }
    }
}
