using System.Globalization;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Core;

/// <summary>Services: defaults, validation and row. Addresses and node ports are allocated by the pipeline's allocators.</summary>
internal sealed class ServiceRules : KindRules<Service>
{
    private const int StickySeconds = 10800;
    private const int MaxStickySeconds = 86400;
    private static readonly string[] s_types = ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"];

    public override NameRule NameRule => NameRule.DnsLabel;

    public override bool HasStatus => true;

    public override bool ReturnsDeletedObject => true;

    public override IReadOnlyList<SelectableField> SelectableFields => [new("spec.clusterIP"), new("spec.type")];

    public override IReadOnlyList<TableColumn> Columns =>
        [new("Type"), new("Cluster-IP"), new("External-IP"), new("Port(s)"), new("Age"), new("Selector", Priority: 1)];

    protected override void Default(Service value)
    {
        var spec = value.Spec;
        spec.SessionAffinity = spec.SessionAffinity.Length == 0 ? "None" : spec.SessionAffinity;
        spec.Type = spec.Type.Length == 0 ? "ClusterIP" : spec.Type;
        if (spec.SessionAffinity == "ClientIP" && spec.SessionAffinityConfig?.ClientIP?.TimeoutSeconds is null)
        {
            spec.SessionAffinityConfig = new SessionAffinityConfig { ClientIP = new ClientIPConfig { TimeoutSeconds = StickySeconds } };
        }
        else if (spec.SessionAffinity == "None")
        {
            spec.SessionAffinityConfig = null;
        }

        foreach (var port in spec.Ports ?? [])
        {
            port.Protocol = port.Protocol.Length == 0 ? "TCP" : port.Protocol;
            if (port.TargetPort is null or { IsInt: true, IntValue: 0 } or { IsInt: false, StringValue: "" })
            {
                port.TargetPort = port.Port;
            }
        }

        if (spec.Type is "NodePort" or "LoadBalancer")
        {
            spec.ExternalTrafficPolicy = spec.ExternalTrafficPolicy.Length == 0 ? "Cluster" : spec.ExternalTrafficPolicy;
        }
        else if (spec.ExternalIPs is { Count: > 0 } && spec.Type == "ClusterIP")
        {
            spec.ExternalTrafficPolicy = spec.ExternalTrafficPolicy.Length == 0 ? "Cluster" : spec.ExternalTrafficPolicy;
        }

        if (spec.Type != "ExternalName")
        {
            spec.InternalTrafficPolicy ??= "Cluster";
        }

        if (spec.Type == "LoadBalancer")
        {
            spec.AllocateLoadBalancerNodePorts ??= true;
            foreach (var ingress in (value.Status.LoadBalancer.Ingress ?? []).Where(i => i.Ip.Length > 0))
            {
                ingress.IpMode ??= "VIP";
            }
        }
    }

    protected override void PrepareForUpdate(RuleContext context, Service value, Service old)
    {
        if (context.Subresource == "status")
        {
            return;
        }

        ServiceTypeChange.Settle(value.Spec, old.Spec);
    }

    protected override void Validate(RuleContext context, Service value, ErrorList errors)
    {
        var spec = value.Spec;
        var path = FieldPath.Spec;
        var headless = spec.ClusterIP == "None";
        if (spec.Ports is not { Count: > 0 } && !headless && spec.Type != "ExternalName")
        {
            errors.Required(path.Child("ports"));
        }

        if (!s_types.Contains(spec.Type))
        {
            errors.NotSupported(path.Child("type"), spec.Type, s_types);
        }

        TypeRules(spec, path, headless, errors);
        Ports(spec, path.Child("ports"), errors);
        Names.CheckLabels(errors, path.Child("selector"), spec.Selector);
        Affinity(spec, path, errors);
        Addresses(spec, path, errors);
        Policies(spec, path, errors);
    }

    protected override void ValidateUpdate(RuleContext context, Service value, Service old, ErrorList errors)
    {
        if (context.Subresource == "status")
        {
            ServiceStatusValidation.Validate(value, errors);
            return;
        }

        Immutable(value.Spec, old.Spec, errors);
        Validate(context, value, errors);
    }

    protected override void Warn(RuleContext context, Service value, Service? old)
    {
        var spec = value.Spec;
        if (spec.ExternalIPs is { Count: > 0 })
        {
            context.Warn("spec.externalIPs is deprecated: not every cluster follows it");
        }

        foreach (var (name, isSet) in new[] { ("loadBalancerIP", spec.LoadBalancerIP.Length > 0), ("externalIPs", spec.ExternalIPs is { Count: > 0 }), ("sessionAffinity", spec.SessionAffinity == "ClientIP") })
        {
            if (isSet && spec.ClusterIP == "None")
            {
                context.Warn($"spec.{name} is ignored for headless services");
            }
        }
    }

    protected override IReadOnlyList<object?> Cells(Service value, DateTimeOffset now) =>
    [
        value.Metadata.Name,
        value.Spec.Type,
        TableText.Or(value.Spec.ClusterIP, TableText.None),
        External(value),
        TableText.Or(string.Join(",", (value.Spec.Ports ?? []).Select(Port)), TableText.None),
        Ages.Since(value.Metadata.CreationTimestamp, now),
        TableText.Of(value.Spec.Selector),
    ];

    private static string Port(ServicePort port) =>
        port.NodePort > 0 ? string.Create(CultureInfo.InvariantCulture, $"{port.Port}:{port.NodePort}/{port.Protocol}") : string.Create(CultureInfo.InvariantCulture, $"{port.Port}/{port.Protocol}");

    private static string External(Service value)
    {
        var given = value.Spec.ExternalIPs ?? [];
        switch (value.Spec.Type)
        {
            case "ExternalName":
                return value.Spec.ExternalName;
            case "LoadBalancer":
                var own = TableText.Addresses((value.Status.LoadBalancer.Ingress ?? []).Select(i => (i.Ip, i.Hostname)));
                return TableText.Or(string.Join(",", own.Concat(given)), "<pending>");
            default:
                return TableText.Or(string.Join(",", given), TableText.None);
        }
    }

    private static void Immutable(ServiceSpec spec, ServiceSpec old, ErrorList errors)
    {
        if (spec.Type != "ExternalName" && old.Type != "ExternalName")
        {
            if (old.ClusterIP.Length > 0 && spec.ClusterIP != old.ClusterIP)
            {
                errors.Invalid(FieldPath.Spec.Child("clusterIPs").Index(0), spec.ClusterIP, "field is immutable");
            }

            if (spec.IpFamilies is [var now, ..] && old.IpFamilies is [var before, ..] && now != before)
            {
                errors.Invalid(FieldPath.Spec.Child("ipFamilies").Index(0), now, "may not change once set");
            }

            Second(errors, "clusterIPs", spec.ClusterIPs ?? [], old.ClusterIPs ?? [], spec.IpFamilyPolicy);
            Second(errors, "ipFamilies", spec.IpFamilies ?? [], old.IpFamilies ?? [], spec.IpFamilyPolicy);
        }

        if (ServiceTypeChange.HasHealthPort(spec) && ServiceTypeChange.HasHealthPort(old) && spec.HealthCheckNodePort != old.HealthCheckNodePort)
        {
            errors.Forbidden(FieldPath.Spec.Child("healthCheckNodePort"), "field is immutable");
        }

        if (spec.Type == "LoadBalancer" && old.Type == "LoadBalancer" && spec.LoadBalancerClass != old.LoadBalancerClass)
        {
            errors.Invalid(FieldPath.Spec.Child("loadBalancerClass"), spec.LoadBalancerClass, "may not change once set");
        }
    }

    /// <summary>A second address or family comes and goes with the policy, and stays as it is in between.</summary>
    private static void Second(ErrorList errors, string name, List<string> now, List<string> before, string? policy)
    {
        var path = FieldPath.Spec.Child("ipFamilyPolicy");
        if (now.Count > 1 && before.Count > 1 && now[1] != before[1])
        {
            errors.Invalid(FieldPath.Spec.Child(name).Index(1), now[1], "may not change once set");
        }
        else if (now.Count == 2 && before.Count == 1 && policy is null or "SingleStack")
        {
            errors.Invalid(path, policy, $"must be set to 'PreferDualStack' or 'RequireDualStack' when adding a second value to `{name}`");
        }
        else if (now.Count == 1 && before.Count == 2 && policy != "SingleStack")
        {
            errors.Invalid(path, policy, $"must be set to 'SingleStack' when releasing the second value of `{name}`");
        }
    }

    private static void TypeRules(ServiceSpec spec, FieldPath path, bool headless, ErrorList errors)
    {
        switch (spec.Type)
        {
            case "ExternalName":
                if (spec.ExternalName.Length == 0)
                {
                    errors.Required(path.Child("externalName"));
                }
                else
                {
                    Names.CheckDnsSubdomain(errors, path.Child("externalName"), spec.ExternalName.TrimEnd('.'));
                }

                if (spec.ClusterIP.Length > 0)
                {
                    errors.Forbidden(path.Child("clusterIPs"), "may not be set for ExternalName services");
                }

                break;
            case "NodePort" or "LoadBalancer" when headless:
                errors.Invalid(path.Child("clusterIPs").Index(0), "None", $"may not be set to 'None' for {spec.Type} services");
                break;
        }
    }

    private static void Ports(ServiceSpec spec, FieldPath path, ErrorList errors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var numbers = new HashSet<(int, string)>();
        var nodePorts = new HashSet<(int, string)>();
        for (var i = 0; i < spec.Ports?.Count; i++)
        {
            var port = spec.Ports[i];
            var at = path.Index(i);
            if (port.Name.Length == 0)
            {
                if (spec.Ports.Count > 1)
                {
                    errors.Required(at.Child("name"));
                }
            }
            else if (!Names.IsDnsLabel(port.Name))
            {
                Names.CheckDnsLabel(errors, at.Child("name"), port.Name);
            }
            else if (!names.Add(port.Name))
            {
                errors.Duplicate(at.Child("name"), port.Name);
            }

            Names.CheckPort(errors, at.Child("port"), port.Port);
            if (port.Protocol is not ("TCP" or "UDP" or "SCTP"))
            {
                errors.NotSupported(at.Child("protocol"), port.Protocol, "SCTP", "TCP", "UDP");
            }

            Names.CheckPortReference(errors, at.Child("targetPort"), port.TargetPort);
            if (port.AppProtocol is { } app && !Names.IsQualifiedName(app))
            {
                Names.CheckLabelKey(errors, at.Child("appProtocol"), app);
            }

            if (!numbers.Add((port.Port, port.Protocol)))
            {
                errors.Duplicate(at, $"{port.Port}/{port.Protocol}");
            }

            if (port.NodePort != 0 && spec.Type is not ("NodePort" or "LoadBalancer"))
            {
                errors.Forbidden(at.Child("nodePort"), $"may not be used when `type` is '{spec.Type}'");
            }
            else if (port.NodePort != 0 && !nodePorts.Add((port.NodePort, port.Protocol)))
            {
                errors.Duplicate(at.Child("nodePort"), port.NodePort);
            }
        }
    }

    private static void Affinity(ServiceSpec spec, FieldPath path, ErrorList errors)
    {
        if (spec.SessionAffinity.Length == 0)
        {
            errors.Required(path.Child("sessionAffinity"));
        }
        else if (spec.SessionAffinity is not ("None" or "ClientIP"))
        {
            errors.NotSupported(path.Child("sessionAffinity"), spec.SessionAffinity, "ClientIP", "None");
        }

        if (spec.SessionAffinity == "ClientIP" && spec.SessionAffinityConfig?.ClientIP?.TimeoutSeconds is { } seconds && seconds is <= 0 or > MaxStickySeconds)
        {
            errors.Invalid(path.Child("sessionAffinityConfig", "clientIP", "timeoutSeconds"), spec.SessionAffinityConfig!.ClientIP!.TimeoutSeconds, $"must be greater than 0 and less than {MaxStickySeconds}");
        }
        else if (spec.SessionAffinity == "None" && spec.SessionAffinityConfig is not null)
        {
            errors.Forbidden(path.Child("sessionAffinityConfig"), "must not be set when session affinity is None");
        }
    }

    private static void Addresses(ServiceSpec spec, FieldPath path, ErrorList errors)
    {
        for (var i = 0; i < spec.ExternalIPs?.Count; i++)
        {
            if (IpForms.Check(errors, path.Child("externalIPs").Index(i), spec.ExternalIPs[i]))
            {
                IpForms.CheckReachable(errors, path.Child("externalIPs").Index(i), spec.ExternalIPs[i]);
            }
        }

        for (var i = 0; i < spec.LoadBalancerSourceRanges?.Count; i++)
        {
            if (spec.Type != "LoadBalancer")
            {
                errors.Forbidden(path.Child("LoadBalancerSourceRanges"), "may only be used when `type` is 'LoadBalancer'");
                break;
            }

            if (!IpForms.TryParseRange(spec.LoadBalancerSourceRanges[i].Trim(), out _))
            {
                errors.Invalid(path.Child("LoadBalancerSourceRanges").Index(i), spec.LoadBalancerSourceRanges[i], "is no address range such as 10.0.0.0/8");
            }
        }
    }

    private static void Policies(ServiceSpec spec, FieldPath path, ErrorList errors)
    {
        var external = spec.Type is "NodePort" or "LoadBalancer" || (spec.Type == "ClusterIP" && spec.ExternalIPs is { Count: > 0 });
        if (!external && spec.ExternalTrafficPolicy.Length > 0)
        {
            errors.Invalid(path.Child("externalTrafficPolicy"), spec.ExternalTrafficPolicy, "may only be set for externally-accessible services");
        }
        else if (external && spec.ExternalTrafficPolicy is not ("Cluster" or "Local"))
        {
            errors.NotSupported(path.Child("externalTrafficPolicy"), spec.ExternalTrafficPolicy, "Cluster", "Local");
        }

        if (spec.InternalTrafficPolicy is { } policy && policy is not ("Cluster" or "Local"))
        {
            errors.NotSupported(path.Child("internalTrafficPolicy"), policy, "Cluster", "Local");
        }

        if (spec.TrafficDistribution is { } distribution && distribution is not ("PreferClose" or "PreferSameZone" or "PreferSameNode"))
        {
            errors.NotSupported(path.Child("trafficDistribution"), distribution, "PreferClose", "PreferSameNode", "PreferSameZone");
        }

        if (spec.AllocateLoadBalancerNodePorts is not null && spec.Type != "LoadBalancer")
        {
            errors.Forbidden(path.Child("allocateLoadBalancerNodePorts"), "may only be used when `type` is 'LoadBalancer'");
        }

        if (spec.LoadBalancerClass is { } lbClass)
        {
            if (spec.Type != "LoadBalancer")
            {
                errors.Forbidden(path.Child("loadBalancerClass"), "may only be used when `type` is 'LoadBalancer'");
            }
            else
            {
                Names.CheckLabelKey(errors, path.Child("loadBalancerClass"), lbClass);
            }
        }

        if (spec.HealthCheckNodePort < 0 || (spec.HealthCheckNodePort > 0 && (spec.Type != "LoadBalancer" || spec.ExternalTrafficPolicy != "Local")))
        {
            errors.Invalid(path.Child("healthCheckNodePort"), spec.HealthCheckNodePort, "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'");
        }
    }
}
