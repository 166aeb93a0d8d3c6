using Hardway.Api.Core.V1;

namespace Hardway.ApiServer.Admission.Plugins.Nodes;

/// <summary>A new node takes no Pods until the node controller has seen it ready.</summary>
internal sealed class TaintNodesByCondition : AdmissionPlugin
{
    private const string NotReady = "node.kubernetes.io/not-ready";

    public override string Name => "TaintNodesByCondition";

    public override AdmissionOperation Operations => AdmissionOperation.Create;

    public override ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (attributes is { Group: "", Resource: "nodes", Subresource: "", Object: Node node } && !(node.Spec.Taints ?? []).Any(t => t is { Key: NotReady, Effect: "NoSchedule" }))
        {
            (node.Spec.Taints ??= []).Add(new Taint { Key = NotReady, Effect = "NoSchedule" });
        }

        return ValueTask.CompletedTask;
    }
}
