using Hardway.Api.Core.V1;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Admission.Plugins.Nodes;

/// <summary>A Pod learns the zone and region of the node that it is bound to, as labels.</summary>
internal sealed class PodTopologyLabels(IResourceReader reader) : AdmissionPlugin
{
    private static readonly string[] s_labels = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"];

    public override string Name => "PodTopologyLabels";

    public override AdmissionOperation Operations => AdmissionOperation.Create;

    public override ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (attributes.Group.Length == 0 && attributes is { Resource: "bindings", Subresource: "" } or { Resource: "pods", Subresource: "binding" } && attributes.Object is Binding { Target.Kind: "Node" } binding)
        {
            binding.Metadata.Labels = With(binding.Metadata.Labels, binding.Target.Name);
        }
        else if (attributes is { Group: "", Resource: "pods", Subresource: "", Object: Pod { Spec.NodeName.Length: > 0 } pod })
        {
            pod.Metadata.Labels = With(pod.Metadata.Labels, pod.Spec.NodeName);
        }

        return ValueTask.CompletedTask;
    }

    private Dictionary<string, string>? With(Dictionary<string, string>? labels, string node)
    {
        var from = reader.Get<Node>("", node)?.Metadata.Labels;
        foreach (var label in s_labels)
        {
            if (from?.TryGetValue(label, out var value) ?? false)
            {
                (labels ??= new(StringComparer.Ordinal))[label] = value;
            }
        }

        return labels;
    }
}
