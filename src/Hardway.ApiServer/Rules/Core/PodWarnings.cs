using System.Globalization;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Core;

/// <summary>What is allowed in a Pod's spec and likely no good: fields that are deprecated or do nothing, and what hides something else.</summary>
internal static class PodWarnings
{
    private static readonly Dictionary<string, string> s_oldLabels = new(StringComparer.Ordinal)
    {
        ["beta.kubernetes.io/arch"] = "kubernetes.io/arch", ["beta.kubernetes.io/os"] = "kubernetes.io/os",
        ["failure-domain.beta.kubernetes.io/region"] = "topology.kubernetes.io/region", ["failure-domain.beta.kubernetes.io/zone"] = "topology.kubernetes.io/zone",
        ["beta.kubernetes.io/instance-type"] = "node.kubernetes.io/instance-type",
    };

    /// <summary>Volumes whose plugins are gone or going, by the name of their field.</summary>
    private static readonly Dictionary<string, string> s_oldVolumes = new(StringComparer.Ordinal)
    {
        ["photonPersistentDisk"] = "deprecated in v1.11, non-functional in v1.16+", ["gitRepo"] = "deprecated in v1.11, and disabled by default in v1.33+",
        ["scaleIO"] = "deprecated in v1.16, non-functional in v1.22+", ["flocker"] = "deprecated in v1.22, non-functional in v1.25+",
        ["storageos"] = "deprecated in v1.22, non-functional in v1.25+", ["quobyte"] = "deprecated in v1.22, non-functional in v1.25+",
        ["glusterfs"] = "deprecated in v1.25, non-functional in v1.26+", ["cephfs"] = "deprecated in v1.28, non-functional in v1.31+",
        ["rbd"] = "deprecated in v1.28, non-functional in v1.31+",
    };

    /// <summary>Of a new Pod: who updates Pods is no human.</summary>
    public static void OfPod(RuleContext context, Pod value)
    {
        if (!NameForms.IsDnsLabel(value.Metadata.Name))
        {
            context.Warn("metadata.name: it becomes the Pod's host name, where anything but a DNS label brings surprises");
        }

        Of(context, value.Spec, FieldPath.Spec);
    }

    /// <summary>Of a template, wherever it stands, when its object is new or changes.</summary>
    public static void OfTemplate(RuleContext context, KubeObject value, KubeObject? old, PodTemplateSpec? template, FieldPath path)
    {
        if (template is not null && old?.Metadata.Generation != value.Metadata.Generation)
        {
            Of(context, template.Spec, path.Child("spec"));
        }
    }

    private static void Of(RuleContext context, PodSpec spec, FieldPath path)
    {
        foreach (var key in (spec.NodeSelector?.Keys ?? Enumerable.Empty<string>()).Where(s_oldLabels.ContainsKey))
        {
            context.Warn($"{path.Child("nodeSelector").Key(key)}: deprecated; use \"{s_oldLabels[key]}\" instead");
        }

        Scheduling(context, spec, path);
        Volumes(context, spec, path.Child("volumes"));
        var pulls = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < spec.ImagePullSecrets?.Count; i++)
        {
            var name = spec.ImagePullSecrets[i].Name;
            if (name.Length == 0 || !pulls.Add(name))
            {
                context.Warn($"{path.Child("imagePullSecrets").Index(i)}.name: {(name.Length == 0 ? "an empty name" : "the name stands twice")}");
            }
        }

        var addresses = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < spec.HostAliases?.Count; i++)
        {
            if (!addresses.Add(spec.HostAliases[i].Ip))
            {
                context.Warn($"{path.Child("hostAliases").Index(i)}.ip: the address stands twice");
            }
        }

        if (spec.TerminationGracePeriodSeconds < 0)
        {
            context.Warn($"{path.Child("terminationGracePeriodSeconds")}: a negative number counts as 1");
        }

        Containers(context, spec.InitContainers, path.Child("initContainers"));
        Containers(context, spec.Containers, path.Child("containers"));
    }

    private static void Scheduling(RuleContext context, PodSpec spec, FieldPath path)
    {
        for (var i = 0; i < spec.TopologySpreadConstraints?.Count; i++)
        {
            var at = path.Child("topologySpreadConstraints").Index(i);
            var constraint = spec.TopologySpreadConstraints[i];
            if (s_oldLabels.TryGetValue(constraint.TopologyKey, out var current))
            {
                context.Warn($"{at}.topologyKey: {constraint.TopologyKey} is deprecated; use \"{current}\" instead");
            }

            if (constraint.LabelSelector is null)
            {
                context.Warn($"{at}.labelSelector: without one no Pod matches");
            }
        }

        if (spec.Affinity is not { } affinity)
        {
            return;
        }

        foreach (var (name, required, preferred) in new[]
        {
            ("podAffinity", affinity.PodAffinity?.RequiredDuringSchedulingIgnoredDuringExecution, affinity.PodAffinity?.PreferredDuringSchedulingIgnoredDuringExecution),
            ("podAntiAffinity", affinity.PodAntiAffinity?.RequiredDuringSchedulingIgnoredDuringExecution, affinity.PodAntiAffinity?.PreferredDuringSchedulingIgnoredDuringExecution),
        })
        {
            var at = path.Child("affinity", name);
            Terms(context, required, at.Child("requiredDuringSchedulingIgnoredDuringExecution"), "");
            Terms(context, preferred?.ConvertAll(p => p.PodAffinityTerm), at.Child("preferredDuringSchedulingIgnoredDuringExecution"), ".podAffinityTerm");
        }
    }

    private static void Terms(RuleContext context, List<PodAffinityTerm>? terms, FieldPath path, string inner)
    {
        for (var i = 0; i < terms?.Count; i++)
        {
            if (terms[i].LabelSelector is null)
            {
                context.Warn($"{path.Index(i)}{inner}.labelSelector: without one no Pod matches");
            }
        }
    }

    private static void Volumes(RuleContext context, PodSpec spec, FieldPath path)
    {
        for (var i = 0; i < spec.Volumes?.Count; i++)
        {
            foreach (var field in Volume.TypeSchema.Fields)
            {
                if (s_oldVolumes.TryGetValue(field.Name, out var why) && spec.Volumes[i].Get(field.Ordinal) is not null)
                {
                    context.Warn($"{path.Index(i)}.{field.Name}: {why}");
                }
            }

            if (spec.Volumes[i].Ephemeral?.VolumeClaimTemplate?.Metadata.Annotations?.ContainsKey("volume.beta.kubernetes.io/storage-class") == true)
            {
                context.Warn($"{path.Index(i)}.ephemeral.volumeClaimTemplate.metadata.annotations[volume.beta.kubernetes.io/storage-class]: use \"storageClassName\" instead");
            }
        }
    }

    private static void Containers(RuleContext context, List<Container>? containers, FieldPath path)
    {
        for (var i = 0; i < containers?.Count; i++)
        {
            var at = path.Index(i);
            Fractions(context, containers[i].Resources, at.Child("resources"));
            var names = new HashSet<string>(StringComparer.Ordinal);
            for (var e = 0; e < containers[i].Env?.Count; e++)
            {
                if (!names.Add(containers[i].Env![e].Name))
                {
                    context.Warn($"{at.Child("env").Index(e)}: hides the earlier \"{containers[i].Env![e].Name}\", which an apply may drop");
                }
            }

            var ports = new HashSet<(int, string, string, int)>();
            for (var p = 0; p < containers[i].Ports?.Count; p++)
            {
                var port = containers[i].Ports![p];
                if (!ports.Add((port.ContainerPortValue, port.Protocol, port.HostIP, port.HostPort)))
                {
                    context.Warn($"{at.Child("ports").Index(p)}: the same port stands twice");
                }
            }
        }
    }

    /// <summary>Half a byte cannot be had.</summary>
    private static void Fractions(RuleContext context, ResourceRequirements resources, FieldPath path)
    {
        foreach (var (list, amounts) in new[] { ("limits", resources.Limits), ("requests", resources.Requests) })
        {
            foreach (var name in new[] { "memory", "ephemeral-storage" })
            {
                if (amounts is not null && amounts.TryGetValue(name, out var amount) && amount.MilliValue % 1000 != 0 && amount.MilliValue != long.MaxValue)
                {
                    context.Warn(string.Create(CultureInfo.InvariantCulture, $"{path.Child(list).Key(name)}: {amount} is no whole number of bytes"));
                }
            }
        }
    }
}
