using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.Core;

/// <summary>What must hold of a Pod's spec, wherever it stands. The parts: containers, volumes, scheduling, security.</summary>
internal static class PodSpecValidation
{
    private static readonly string[] s_restartPolicies = ["Always", "OnFailure", "Never"];
    private static readonly string[] s_dnsPolicies = ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"];

    public static void ValidateTemplate(PodTemplateSpec template, FieldPath path, ErrorList errors, params string[] restartPolicies)
    {
        Names.CheckLabels(errors, path.Child("metadata", "labels"), template.Metadata.Labels);
        foreach (var key in template.Metadata.Annotations?.Keys ?? Enumerable.Empty<string>())
        {
            Names.CheckLabelKey(errors, path.Child("metadata", "annotations"), key.ToLowerInvariant());
        }

        Validate(template.Spec, path.Child("spec"), errors, isTemplate: true);
        if (restartPolicies.Length > 0 && !restartPolicies.Contains(template.Spec.RestartPolicy) && s_restartPolicies.Contains(template.Spec.RestartPolicy))
        {
            errors.NotSupported(path.Child("spec", "restartPolicy"), template.Spec.RestartPolicy, restartPolicies);
        }

        if (template.Spec.EphemeralContainers is { Count: > 0 })
        {
            errors.Forbidden(path.Child("spec", "ephemeralContainers"), "ephemeral containers are added to running Pods only");
        }
    }

    public static void Validate(PodSpec spec, FieldPath path, ErrorList errors, bool isTemplate)
    {
        var volumes = VolumeValidation.Validate(spec.Volumes, path.Child("volumes"), errors);
        ContainerValidation.Validate(spec, volumes, path, errors);
        OneOf(errors, path.Child("restartPolicy"), spec.RestartPolicy, s_restartPolicies);
        OneOf(errors, path.Child("dnsPolicy"), spec.DnsPolicy, s_dnsPolicies);
        PodSecurityValidation.Validate(spec, path, errors);
        PodSchedulingValidation.Validate(spec, path, errors);
        PodPlatformValidation.Validate(spec, path, errors);
        if (spec.ServiceAccountName.Length > 0 && !Names.IsDnsSubdomain(spec.ServiceAccountName))
        {
            Names.CheckDnsSubdomain(errors, path.Child("serviceAccountName"), spec.ServiceAccountName);
        }

        if (spec.NodeName.Length > 0)
        {
            Names.CheckDnsSubdomain(errors, path.Child("nodeName"), spec.NodeName);
        }

        if (spec.ActiveDeadlineSeconds is { } deadline && deadline is < 1 or > int.MaxValue)
        {
            errors.Invalid(path.Child("activeDeadlineSeconds"), spec.ActiveDeadlineSeconds, $"must be between 1 and {int.MaxValue}");
        }

        if (spec.TerminationGracePeriodSeconds < 0 && isTemplate)
        {
            errors.Invalid(path.Child("terminationGracePeriodSeconds"), spec.TerminationGracePeriodSeconds, "must be greater than or equal to 0");
        }

        ValidateNames(spec, path, errors);
        ValidateDns(spec, path, errors);
        ValidateHostUsers(spec, path, errors);
    }

    public static void OneOf(ErrorList errors, FieldPath path, string value, params string[] known)
    {
        if (value.Length == 0)
        {
            errors.Required(path);
        }
        else if (!known.Contains(value))
        {
            errors.NotSupported(path, value, known);
        }
    }

    private static void ValidateNames(PodSpec spec, FieldPath path, ErrorList errors)
    {
        if (spec.Hostname.Length > 0)
        {
            Names.CheckDnsLabel(errors, path.Child("hostname"), spec.Hostname);
        }

        if (spec.Subdomain.Length > 0)
        {
            Names.CheckDnsLabel(errors, path.Child("subdomain"), spec.Subdomain);
        }

        for (var i = 0; i < spec.HostAliases?.Count; i++)
        {
            var at = path.Child("hostAliases").Index(i);
            if (!System.Net.IPAddress.TryParse(spec.HostAliases[i].Ip, out _))
            {
                errors.Invalid(at.Child("ip"), spec.HostAliases[i].Ip, "is no IP address");
            }

            for (var h = 0; h < spec.HostAliases[i].Hostnames?.Count; h++)
            {
                Names.CheckDnsSubdomain(errors, at.Child("hostnames").Index(h), spec.HostAliases[i].Hostnames![h]);
            }
        }
    }

    private static void ValidateDns(PodSpec spec, FieldPath path, ErrorList errors)
    {
        if (spec.DnsPolicy == "None" && spec.DnsConfig?.Nameservers is not { Count: > 0 })
        {
            errors.Required(path.Child("dnsConfig"), "with dnsPolicy None, dnsConfig needs at least one nameserver");
        }

        if (spec.DnsConfig is not { } config)
        {
            return;
        }

        var at = path.Child("dnsConfig");
        if (config.Nameservers?.Count > 3)
        {
            errors.Invalid(at.Child("nameservers"), string.Join(",", config.Nameservers), "may have at most 3 entries");
        }

        for (var i = 0; i < config.Nameservers?.Count; i++)
        {
            if (!System.Net.IPAddress.TryParse(config.Nameservers[i], out _))
            {
                errors.Invalid(at.Child("nameservers").Index(i), config.Nameservers[i], "is no IP address");
            }
        }

        if (config.Searches?.Count > 32)
        {
            errors.Invalid(at.Child("searches"), string.Join(",", config.Searches), "may have at most 32 entries");
        }

        for (var i = 0; i < config.Searches?.Count; i++)
        {
            var search = config.Searches[i].TrimEnd('.');
            if (search.Length > 0 && !Names.IsDnsSubdomain(search.Replace('_', 'a')))
            {
                errors.Invalid(at.Child("searches").Index(i), config.Searches[i], "is no DNS name");
            }
        }

        for (var i = 0; i < config.Options?.Count; i++)
        {
            if (config.Options[i].Name.Length == 0)
            {
                errors.Required(at.Child("options").Index(i), "an option needs a name");
            }
        }
    }

    private static void ValidateHostUsers(PodSpec spec, FieldPath path, ErrorList errors)
    {
        if (spec.HostUsers != false)
        {
            return;
        }

        foreach (var (name, set) in new[] { ("hostNetwork", spec.HostNetwork), ("hostPID", spec.HostPID), ("hostIPC", spec.HostIPC) })
        {
            if (set)
            {
                errors.Forbidden(path.Child(name), "when `hostUsers` is false");
            }
        }
    }
}
