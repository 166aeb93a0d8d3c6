using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.Core;

/// <summary>
/// What an update of a Pod may change: images, activeDeadlineSeconds downwards, more tolerations, and, while it is gated, more
/// node selection; through subresources, new ephemeral containers and the resources of containers.
/// </summary>
internal static class PodUpdateValidation
{
    public static void Validate(string subresource, Pod value, Pod old, ErrorList errors)
    {
        switch (subresource)
        {
            case "ephemeralcontainers":
                Ephemeral(value, old, errors);
                break;
            case "resize":
                Resize(value, old, errors);
                break;
            default:
                Main(value, old, errors);
                break;
        }
    }

    private static void Main(Pod value, Pod old, ErrorList errors)
    {
        PodSpecValidation.Validate(value.Spec, FieldPath.Spec, errors, isTemplate: false);
        if (value.Spec.Containers?.Count != old.Spec.Containers?.Count)
        {
            errors.Forbidden(FieldPath.Spec.Child("containers"), "pod updates may not add or remove containers");
            return;
        }

        if ((value.Spec.InitContainers?.Count ?? 0) != (old.Spec.InitContainers?.Count ?? 0))
        {
            errors.Forbidden(FieldPath.Spec.Child("initContainers"), "pod updates may not add or remove containers");
            return;
        }

        for (var i = 0; i < value.Spec.Containers?.Count; i++)
        {
            if (value.Spec.Containers[i].Image.Length == 0)
            {
                errors.Required(FieldPath.Spec.Child("containers").Index(i).Child("image"));
            }
        }

        Deadline(value, old, errors);
        Tolerations(value, old, errors);
        Gates(value, old, errors);
        var expected = Allowed(value, old);
        if (!ApiStruct.DeepEquals(value.Spec, expected))
        {
            errors.Forbidden(
                FieldPath.Spec,
                "an update may change only the images of containers, activeDeadlineSeconds, tolerations (by additions) and terminationGracePeriodSeconds (from negative to 1)");
        }
    }

    /// <summary>The old spec with everything of the new one that may change.</summary>
    private static PodSpec Allowed(Pod value, Pod old)
    {
        var expected = old.Spec.Clone();
        Images(value.Spec.Containers, expected.Containers);
        Images(value.Spec.InitContainers, expected.InitContainers);
        expected.ActiveDeadlineSeconds = value.Spec.ActiveDeadlineSeconds;
        expected.Tolerations = value.Spec.Tolerations;
        if (old.Spec.TerminationGracePeriodSeconds < 0 && value.Spec.TerminationGracePeriodSeconds == 1)
        {
            expected.TerminationGracePeriodSeconds = 1;
        }

        if (old.Spec.SchedulingGates is { Count: > 0 })
        {
            expected.SchedulingGates = value.Spec.SchedulingGates;
            expected.NodeSelector = value.Spec.NodeSelector;
            if (expected.Affinity is not null || value.Spec.Affinity is not null)
            {
                expected.Affinity ??= new Affinity();
                expected.Affinity.NodeAffinity = value.Spec.Affinity?.NodeAffinity;
                expected.Affinity = value.Spec.Affinity is null && ApiStruct.DeepEquals(expected.Affinity, new Affinity()) ? null : expected.Affinity;
            }
        }

        return expected;
    }

    private static void Images(List<Container>? from, List<Container>? to)
    {
        for (var i = 0; i < to?.Count && i < from?.Count; i++)
        {
            to[i].Image = from[i].Image;
        }
    }

    private static void Deadline(Pod value, Pod old, ErrorList errors)
    {
        var path = FieldPath.Spec.Child("activeDeadlineSeconds");
        if (old.Spec.ActiveDeadlineSeconds is { } before)
        {
            if (value.Spec.ActiveDeadlineSeconds is not { } after)
            {
                errors.Invalid(path, null, "must not update from a positive integer to nil value");
            }
            else if (after > before)
            {
                errors.Invalid(path, after, "must be less than or equal to previous value");
            }
        }
    }

    private static void Tolerations(Pod value, Pod old, ErrorList errors)
    {
        var now = value.Spec.Tolerations ?? [];
        foreach (var toleration in old.Spec.Tolerations ?? [])
        {
            if (!now.Any(t => t.Key == toleration.Key && t.Operator == toleration.Operator && t.Value == toleration.Value && t.Effect == toleration.Effect))
            {
                errors.Forbidden(FieldPath.Spec.Child("tolerations"), "existing toleration can not be modified except its tolerationSeconds");
                return;
            }
        }
    }

    private static void Gates(Pod value, Pod old, ErrorList errors)
    {
        var before = (old.Spec.SchedulingGates ?? []).Select(g => g.Name).ToHashSet(StringComparer.Ordinal);
        for (var i = 0; i < value.Spec.SchedulingGates?.Count; i++)
        {
            if (!before.Contains(value.Spec.SchedulingGates[i].Name))
            {
                errors.Forbidden(FieldPath.Spec.Child("schedulingGates").Index(i).Child("name"), $"only deletion is allowed, but found new scheduling gate '{value.Spec.SchedulingGates[i].Name}'");
            }
        }

        if (before.Count == 0)
        {
            return;
        }

        foreach (var (key, label) in old.Spec.NodeSelector ?? [])
        {
            if (value.Spec.NodeSelector?.GetValueOrDefault(key) != label)
            {
                errors.Invalid(FieldPath.Spec.Child("nodeSelector"), TableText.Of(value.Spec.NodeSelector), "only additions to spec.nodeSelector are allowed (no mutations or deletions)");
                return;
            }
        }
    }

    private static void Ephemeral(Pod value, Pod old, ErrorList errors)
    {
        var path = FieldPath.Spec.Child("ephemeralContainers");
        var volumes = (value.Spec.Volumes ?? []).DistinctBy(v => v.Name).ToDictionary(v => v.Name, StringComparer.Ordinal);
        var names = (value.Spec.Containers ?? []).Concat(value.Spec.InitContainers ?? []).Select(c => c.Name).ToHashSet(StringComparer.Ordinal);
        ContainerValidation.Ephemeral(value.Spec, volumes, names, path, errors);
        foreach (var before in old.Spec.EphemeralContainers ?? [])
        {
            var now = value.Spec.EphemeralContainers?.Find(c => c.Name == before.Name);
            if (now is null)
            {
                errors.Forbidden(path, $"existing ephemeral containers \"{before.Name}\" may not be removed");
            }
            else if (!ApiStruct.DeepEquals(now, before))
            {
                errors.Forbidden(path, $"existing ephemeral containers \"{before.Name}\" may not be changed");
            }
        }
    }

    private static void Resize(Pod value, Pod old, ErrorList errors)
    {
        if (old.Metadata.Annotations?.ContainsKey("kubernetes.io/config.mirror") == true)
        {
            errors.Forbidden(FieldPath.Metadata.Child("annotations").Key("kubernetes.io/config.mirror"), "static pods cannot be resized");
        }

        // A kubelet that can resize reports what its containers have.
        if (value.Status.ContainerStatuses?.Find(s => s.State.Running is not null) is { Resources: null })
        {
            errors.Forbidden(FieldPath.Spec, "Pod running on node without support for resize");
        }

        if (old.Spec.Os?.Name == "windows")
        {
            errors.Forbidden(FieldPath.Spec, "windows pods cannot be resized");
        }

        if (errors.Any)
        {
            return;
        }

        PodSpecValidation.Validate(value.Spec, FieldPath.Spec, errors, isTemplate: false);
        if (PodQos.Of(value.Spec) != PodQos.Of(old.Spec))
        {
            errors.Invalid(FieldPath.Spec, PodQos.Of(old.Spec), "Pod QOS Class may not change as a result of resizing");
        }

        for (var i = 0; i < value.Spec.Containers?.Count && i < old.Spec.Containers?.Count; i++)
        {
            var path = FieldPath.Spec.Child("containers").Index(i).Child("resources");
            Kept(errors, path.Child("limits"), value.Spec.Containers[i].Resources.Limits, old.Spec.Containers[i].Resources.Limits, "limits");
            Kept(errors, path.Child("requests"), value.Spec.Containers[i].Resources.Requests, old.Spec.Containers[i].Resources.Requests, "requests");
        }

        if (!ApiStruct.DeepEquals(WithoutResizes(value.Spec, old.Spec), old.Spec))
        {
            errors.Forbidden(FieldPath.Spec, "only cpu and memory resources are mutable");
        }
    }

    /// <summary>The new spec with the old amounts of what may be resized: cpu and memory of containers and sidecars.</summary>
    private static PodSpec WithoutResizes(PodSpec value, PodSpec old)
    {
        var spec = value.Clone();
        foreach (var (now, before) in (spec.Containers ?? []).Zip(old.Containers ?? []).Concat((spec.InitContainers ?? []).Zip(old.InitContainers ?? []).Where(p => p.Second.RestartPolicy == "Always")))
        {
            foreach (var name in new[] { "cpu", "memory" })
            {
                now.Resources.Limits = Put(now.Resources.Limits, before.Resources.Limits, name);
                now.Resources.Requests = Put(now.Resources.Requests, before.Resources.Requests, name);
            }

            now.ResizePolicy = before.ResizePolicy;
        }

        return spec;
    }

    private static Dictionary<string, Quantity>? Put(Dictionary<string, Quantity>? now, Dictionary<string, Quantity>? before, string name)
    {
        if (before is not null && before.TryGetValue(name, out var amount))
        {
            (now ??= [])[name] = amount;
        }
        else
        {
            now?.Remove(name);
        }

        return now;
    }

    private static void Kept(ErrorList errors, FieldPath path, Dictionary<string, Quantity>? now, Dictionary<string, Quantity>? before, string what)
    {
        if (before?.Keys.Any(k => now?.ContainsKey(k) != true) == true)
        {
            errors.Forbidden(path, $"resource {what} cannot be removed");
        }
    }
}
