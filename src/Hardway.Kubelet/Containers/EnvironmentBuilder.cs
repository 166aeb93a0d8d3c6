using System.Text;
using Hardway.Api.Core.V1;
using Hardway.Kubelet.Sources;

namespace Hardway.Kubelet.Containers;

/// <summary>
/// A container's environment: envFrom, then env (a later one wins, earlier ones may be referred to), then Service variables that
/// are not set yet. A missing ConfigMap, Secret or key is an error unless it is optional.
/// </summary>
internal sealed class EnvironmentBuilder(ApiObjects objects, NodeFacts node)
{
    public async Task<List<KeyValuePair<string, string>>> BuildAsync(Pod pod, Container container, IReadOnlyList<string> podIps, IEnumerable<Service> services, CancellationToken stop)
    {
        var result = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        var serviceVariables = ServiceVariables.For(pod.Metadata.Namespace, pod.Spec.EnableServiceLinks != false, services);
        foreach (var source in container.EnvFrom ?? [])
        {
            foreach (var (name, value) in await FromAsync(pod, source, stop))
                result[source.Prefix + name] = value;
        }
        var known = new Dictionary<string, string>(serviceVariables, StringComparer.Ordinal);
        foreach (var (name, value) in result)
            known[name] = value;
        foreach (var variable in container.Env ?? [])
        {
            var value = variable.ValueFrom == null
                ? EnvExpansion.Expand(variable.Value, known)
                : await ValueAsync(pod, container, variable, variable.ValueFrom, podIps, stop);
            if (value == null)
                continue;
            result[variable.Name] = value;
            known[variable.Name] = value;
        }
        foreach (var (name, value) in serviceVariables)
            result.TryAdd(name, value);
        return [.. result];
    }

    private async Task<IEnumerable<KeyValuePair<string, string>>> FromAsync(Pod pod, EnvFromSource source, CancellationToken stop)
    {
        if (source.ConfigMapRef is { } map)
        {
            var found = await objects.ConfigMapAsync(pod.Metadata.Namespace, map.Name, stop);
            return found?.Data ?? (found != null || map.Optional == true ? [] : throw Missing($"configmap \"{map.Name}\" not found"));
        }
        if (source.SecretRef is { } secret)
        {
            var found = await objects.SecretAsync(pod.Metadata.Namespace, secret.Name, stop);
            if (found == null && secret.Optional != true)
                throw Missing($"secret \"{secret.Name}\" not found");
            return (found?.Data ?? []).Select(p => KeyValuePair.Create(p.Key, Encoding.UTF8.GetString(p.Value ?? [])));
        }
        return [];
    }

    private async Task<string?> ValueAsync(Pod pod, Container container, EnvVar variable, EnvVarSource source, IReadOnlyList<string> podIps, CancellationToken stop)
    {
        var ns = pod.Metadata.Namespace;
        try
        {
            if (source.FieldRef is { } field)
                return DownwardFields.Field(pod, field.FieldPath, podIps, node.Ips);
            if (source.ResourceFieldRef is { } resource)
                return DownwardFields.Resource(pod, resource.ContainerName.Length > 0 ? resource.ContainerName : container.Name, resource, node.Allocatable);
        }
        catch (FormatException e)
        {
            throw Missing(e.Message);
        }
        if (source.ConfigMapKeyRef is { } map)
        {
            var found = await objects.ConfigMapAsync(ns, map.Name, stop);
            if (found?.Data?.TryGetValue(map.Key, out var text) == true)
                return text;
            return map.Optional == true ? null : throw Missing(found == null ? $"configmap \"{map.Name}\" not found" : $"couldn't find key {map.Key} in ConfigMap {ns}/{map.Name}");
        }
        if (source.SecretKeyRef is { } secret)
        {
            var found = await objects.SecretAsync(ns, secret.Name, stop);
            if (found?.Data?.TryGetValue(secret.Key, out var bytes) == true)
                return Encoding.UTF8.GetString(bytes ?? []);
            return secret.Optional == true ? null : throw Missing(found == null ? $"secret \"{secret.Name}\" not found" : $"couldn't find key {secret.Key} in Secret {ns}/{secret.Name}");
        }
        throw Missing($"the source of variable {variable.Name} is not supported");
    }

    private static ContainerConfigException Missing(string message) => new("CreateContainerConfigError", message);
}
