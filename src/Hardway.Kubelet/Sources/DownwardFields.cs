using System.Globalization;
using System.Text;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Kubelet.Qos;

namespace Hardway.Kubelet.Sources;

/// <summary>The fields of a Pod that its containers may be told, by fieldRef and resourceFieldRef. Pure.</summary>
internal static class DownwardFields
{
    /// <exception cref="FormatException">The path is none that can be told.</exception>
    public static string Field(Pod pod, string path, IReadOnlyList<string> podIps, IReadOnlyList<string> nodeIps)
    {
        if (Subscript(path, "metadata.labels") is { } label)
            return pod.Metadata.Labels?.GetValueOrDefault(label) ?? "";
        if (Subscript(path, "metadata.annotations") is { } annotation)
            return pod.Metadata.Annotations?.GetValueOrDefault(annotation) ?? "";
        return path switch
        {
            "metadata.name" => pod.Metadata.Name,
            "metadata.namespace" => pod.Metadata.Namespace,
            "metadata.uid" => pod.Metadata.Uid,
            "metadata.labels" => Map(pod.Metadata.Labels),
            "metadata.annotations" => Map(pod.Metadata.Annotations),
            "spec.nodeName" => pod.Spec.NodeName,
            "spec.serviceAccountName" => pod.Spec.ServiceAccountName,
            "status.hostIP" => nodeIps[0],
            "status.hostIPs" => string.Join(',', nodeIps),
            "status.podIP" => podIps.Count > 0 ? podIps[0] : "",
            "status.podIPs" => string.Join(',', podIps),
            _ => throw new FormatException($"fieldPath '{path}' is not supported"),
        };
    }

    /// <summary>A limit that is not set is the node's allocatable amount.</summary>
    public static string Resource(Pod pod, string containerName, ResourceFieldSelector selector, IReadOnlyDictionary<string, Quantity> allocatable)
    {
        var container = PodQos.AllContainers(pod).FirstOrDefault(c => c.Name == containerName)
            ?? throw new FormatException($"container '{containerName}' of a resourceFieldRef does not exist");
        var dot = selector.Resource.IndexOf('.', StringComparison.Ordinal);
        var (list, name) = dot < 0 ? ("", selector.Resource) : (selector.Resource[..dot], selector.Resource[(dot + 1)..]);
        var amount = list switch
        {
            "requests" => Amount(container.Resources.Requests, name) ?? Quantity.Zero,
            "limits" => Amount(container.Resources.Limits, name) is { IsZero: false } limit ? limit : allocatable.GetValueOrDefault(name),
            _ => throw new FormatException($"resource '{selector.Resource}' is not supported"),
        };
        var divisor = selector.Divisor ?? Quantity.Zero;
        var result = name == "cpu"
            ? CeilDivide(amount.MilliValue, divisor.IsZero ? 1000 : divisor.MilliValue)
            : CeilDivide(amount.Value, divisor.IsZero ? 1 : divisor.Value);
        return result.ToString(CultureInfo.InvariantCulture);
    }

    private static Quantity? Amount(Dictionary<string, Quantity>? list, string name) => list != null && list.TryGetValue(name, out var value) ? value : null;

    private static long CeilDivide(long value, long divisor) => divisor <= 0 ? value : (value + divisor - 1) / divisor;

    private static string? Subscript(string path, string field) =>
        path.StartsWith(field + "['", StringComparison.Ordinal) && path.EndsWith("']", StringComparison.Ordinal) ? path[(field.Length + 2)..^2] : null;

    /// <summary>key="value" lines, sorted, with quotes and control characters escaped.</summary>
    private static string Map(Dictionary<string, string>? map)
    {
        var text = new StringBuilder();
        foreach (var (key, value) in (map ?? []).OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            text.Append(key).Append("=\"");
            foreach (var c in value)
            {
                _ = c switch
                {
                    '"' => text.Append("\\\""),
                    '\\' => text.Append("\\\\"),
                    '\n' => text.Append("\\n"),
                    '\t' => text.Append("\\t"),
                    '\r' => text.Append("\\r"),
                    _ => text.Append(c),
                };
            }
            text.Append("\"\n");
        }
        return text.ToString();
    }
}
