using Hardway.Api;
using Hardway.Api.Apps.V1;
using Hardway.Api.Batch.V1;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;

namespace Hardway.ApiServer.Admission.Plugins.Pods;

/// <summary>Where a Pod's spec is in what plugins see: a Pod, or the template of a kind that makes Pods.</summary>
internal static class PodSpecs
{
    public const string MirrorAnnotation = "kubernetes.io/config.mirror";

    /// <summary>The Pod of a write of pods itself (not of a subresource), or null.</summary>
    public static Pod? PodOf(AdmissionAttributes attributes) => attributes is { Group: "", Resource: "pods", Subresource: "" } ? attributes.Object as Pod : null;

    /// <summary>The images of all its containers, in order.</summary>
    public static IEnumerable<string> Images(Pod pod) =>
        (pod.Spec.InitContainers ?? []).Concat(pod.Spec.Containers ?? []).Select(c => c.Image).Concat((pod.Spec.EphemeralContainers ?? []).Select(c => c.Image));

    public static bool IsMirror(Pod pod) => pod.Metadata.Annotations?.ContainsKey(MirrorAnnotation) ?? false;

    /// <summary>The template in a kind that makes Pods; null of other kinds.</summary>
    public static (ObjectMeta Meta, PodSpec Spec)? TemplateOf(ApiStruct? value)
    {
        var template = value switch
        {
            Deployment d => d.Spec.Template,
            ReplicaSet r => r.Spec.Template,
            DaemonSet d => d.Spec.Template,
            StatefulSet s => s.Spec.Template,
            ReplicationController c => c.Spec.Template,
            Job j => j.Spec.Template,
            CronJob c => c.Spec.JobTemplate.Spec.Template,
            PodTemplate t => t.Template,
            _ => null,
        };
        return template is null ? null : (template.Metadata, template.Spec);
    }
}
