using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.Core;

/// <summary>What must hold of the addresses that a load balancer reports, of a Service or an Ingress.</summary>
internal static class ServiceStatusValidation
{
    public static void Validate(Service value, ErrorList errors)
    {
        var path = FieldPath.Status.Child("loadBalancer", "ingress");
        var ingress = value.Status.LoadBalancer.Ingress;
        if (ingress is { Count: > 0 } && value.Spec.Type != "LoadBalancer")
        {
            errors.Forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'");
            return;
        }

        for (var i = 0; i < ingress?.Count; i++)
        {
            var at = path.Index(i);
            Address(ingress[i].Ip, ingress[i].Hostname, at, errors);
            Mode(ingress[i], at.Child("ipMode"), errors);
            for (var p = 0; p < ingress[i].Ports?.Count; p++)
            {
                Port(ingress[i].Ports![p].Port, ingress[i].Ports![p].Protocol, at.Child("ports").Index(p), errors);
            }
        }
    }

    public static void Address(string ip, string host, FieldPath path, ErrorList errors)
    {
        if (ip.Length > 0)
        {
            IpForms.Check(errors, path.Child("ip"), ip);
        }

        if (host.Length > 0)
        {
            Names.CheckDnsSubdomain(errors, path.Child("hostname"), host);
            if (IpForms.TryParse(host, out _))
            {
                errors.Invalid(path.Child("hostname"), host, "must be a DNS name, not an IP address");
            }
        }
    }

    public static void Port(int port, string protocol, FieldPath path, ErrorList errors)
    {
        Names.CheckPort(errors, path.Child("port"), port);
        if (protocol is not ("TCP" or "UDP" or "SCTP"))
        {
            errors.NotSupported(path.Child("protocol"), protocol, "SCTP", "TCP", "UDP");
        }
    }

    private static void Mode(LoadBalancerIngress ingress, FieldPath path, ErrorList errors)
    {
        if (ingress.Ip.Length == 0 && ingress.IpMode is not null)
        {
            errors.Forbidden(path, "may not be specified when `ip` is not set");
        }
        else if (ingress.Ip.Length > 0 && ingress.IpMode is null)
        {
            errors.Required(path, "must be specified when `ip` is set");
        }
        else if (ingress.IpMode is { } mode && mode is not ("VIP" or "Proxy"))
        {
            errors.NotSupported(path, mode, "Proxy", "VIP");
        }
    }
}
