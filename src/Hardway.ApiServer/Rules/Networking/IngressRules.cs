using Hardway.Api.Networking.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Rules.Core;

namespace Hardway.ApiServer.Rules.Networking;

internal sealed class IngressRules : KindRules<Ingress>
{
    private const string OldClass = "kubernetes.io/ingress.class";
    private static readonly string[] s_pathTypes = ["Exact", "ImplementationSpecific", "Prefix"];
    private static readonly string[] s_badParts = ["//", "/./", "/../", "%2f", "%2F"];
    private static readonly string[] s_badEnds = ["/..", "/."];

    public override bool HasStatus => true;

    public override bool HasGeneration => true;

    public override IReadOnlyList<TableColumn> Columns => [new("Class"), new("Hosts"), new("Address"), new("Ports"), new("Age")];

    protected override void Validate(RuleContext context, Ingress value, ErrorList errors)
    {
        var spec = value.Spec;
        if (spec.Rules is not { Count: > 0 } && spec.DefaultBackend is null)
        {
            errors.Invalid(FieldPath.Spec, "", "either `defaultBackend` or `rules` must be specified");
        }

        for (var i = 0; i < spec.Tls?.Count; i++)
        {
            for (var h = 0; h < spec.Tls[i].Hosts?.Count; h++)
            {
                Host(errors, FieldPath.Spec.Child("tls").Index(i).Child("hosts").Index(h), spec.Tls[i].Hosts![h]);
            }
        }

        if (spec.DefaultBackend is { } backend)
        {
            Backend(backend, FieldPath.Spec.Child("defaultBackend"), errors);
        }

        for (var i = 0; i < spec.Rules?.Count; i++)
        {
            Rule(spec.Rules[i], FieldPath.Spec.Child("rules").Index(i), errors);
        }

        if (spec.IngressClassName is { } name)
        {
            Names.CheckDnsSubdomain(errors, FieldPath.Spec.Child("ingressClassName"), name);
        }
    }

    protected override void ValidateUpdate(RuleContext context, Ingress value, Ingress old, ErrorList errors)
    {
        if (context.Subresource != "status")
        {
            Validate(context, value, errors);
            return;
        }

        for (var i = 0; i < value.Status.LoadBalancer.Ingress?.Count; i++)
        {
            var ingress = value.Status.LoadBalancer.Ingress[i];
            var at = FieldPath.Status.Child("loadBalancer", "ingress").Index(i);
            ServiceStatusValidation.Address(ingress.Ip, ingress.Hostname, at, errors);
            for (var p = 0; p < ingress.Ports?.Count; p++)
            {
                ServiceStatusValidation.Port(ingress.Ports[p].Port, ingress.Ports[p].Protocol, at.Child("ports").Index(p), errors);
            }
        }
    }

    protected override void Warn(RuleContext context, Ingress value, Ingress? old)
    {
        if (old is null && value.Metadata.Annotations?.ContainsKey(OldClass) == true)
        {
            context.Warn($"the annotation \"{OldClass}\" is deprecated; use spec.ingressClassName");
        }
    }

    protected override IReadOnlyList<object?> Cells(Ingress value, DateTimeOffset now)
    {
        var hosts = (value.Spec.Rules ?? []).Select(r => r.Host).Where(h => h.Length > 0).ToList();
        var text = hosts.Count == 0 ? "*" : TableText.FirstThree(hosts);
        var addresses = TableText.Addresses((value.Status.LoadBalancer.Ingress ?? []).Select(i => (i.Ip, i.Hostname)));
        return
        [
            value.Metadata.Name, TableText.Or(value.Spec.IngressClassName, TableText.None), text, string.Join(",", addresses),
            value.Spec.Tls is { Count: > 0 } ? "80, 443" : "80", Ages.Since(value.Metadata.CreationTimestamp, now),
        ];
    }

    private static void Host(ErrorList errors, FieldPath path, string host)
    {
        var name = host.StartsWith("*.", StringComparison.Ordinal) ? host[2..] : host;
        if (System.Net.IPAddress.TryParse(host, out _))
        {
            errors.Invalid(path, host, "must be a DNS name, not an IP address");
        }
        else if (!Names.IsDnsSubdomain(name))
        {
            Names.CheckDnsSubdomain(errors, path, host);
        }
    }

    private static void Rule(IngressRule rule, FieldPath path, ErrorList errors)
    {
        if (rule.Host.Length > 0)
        {
            Host(errors, path.Child("host"), rule.Host);
        }

        if (rule.Http is not { } http)
        {
            return;
        }

        if (http.Paths is not { Count: > 0 })
        {
            errors.Required(path.Child("http", "paths"));
        }

        for (var i = 0; i < http.Paths?.Count; i++)
        {
            var at = path.Child("http", "paths").Index(i);
            HttpPath(http.Paths[i], at, errors);
            Backend(http.Paths[i].Backend, at.Child("backend"), errors);
        }
    }

    private static void HttpPath(HTTPIngressPath given, FieldPath path, ErrorList errors)
    {
        switch (given.PathType)
        {
            case null:
                errors.Required(path.Child("pathType"), "pathType must be specified");
                break;
            case "Exact" or "Prefix":
                if (!given.Path.StartsWith('/'))
                {
                    errors.Invalid(path.Child("path"), given.Path, "must be an absolute path");
                }

                foreach (var bad in s_badParts.Where(b => given.Path.Contains(b, StringComparison.Ordinal)).Concat(s_badEnds.Where(b => given.Path.EndsWith(b, StringComparison.Ordinal))))
                {
                    errors.Invalid(path.Child("path"), given.Path, $"must not contain '{bad}'");
                }

                break;
            case "ImplementationSpecific":
                if (given.Path.Length > 0 && !given.Path.StartsWith('/'))
                {
                    errors.Invalid(path.Child("path"), given.Path, "must be an absolute path");
                }

                break;
            default:
                errors.NotSupported(path.Child("pathType"), given.PathType, s_pathTypes);
                break;
        }
    }

    private static void Backend(IngressBackend backend, FieldPath path, ErrorList errors)
    {
        if (backend.Resource is not null && backend.Service is not null)
        {
            errors.Invalid(path, "", "cannot set both resource and service backends");
            return;
        }

        if (backend.Resource is { } resource)
        {
            if (resource.Kind.Length == 0)
            {
                errors.Required(path.Child("resource", "kind"));
            }

            if (resource.Name.Length == 0)
            {
                errors.Required(path.Child("resource", "name"));
            }

            return;
        }

        if (backend.Service is not { } service)
        {
            errors.Invalid(path, "", "must specify service or resource backend");
            return;
        }

        if (service.Name.Length == 0)
        {
            errors.Required(path.Child("service", "name"));
        }
        else
        {
            Names.CheckDnsLabel(errors, path.Child("service", "name"), service.Name);
        }

        if (service.Port.Name.Length > 0 && service.Port.Number != 0)
        {
            errors.Invalid(path, "", "cannot set both port name & port number");
        }
        else if (service.Port.Name.Length > 0)
        {
            Names.CheckPortName(errors, path.Child("service", "port", "name"), service.Port.Name);
        }
        else if (service.Port.Number != 0)
        {
            Names.CheckPort(errors, path.Child("service", "port", "number"), service.Port.Number);
        }
        else
        {
            errors.Required(path, "port name or number is required");
        }
    }
}
