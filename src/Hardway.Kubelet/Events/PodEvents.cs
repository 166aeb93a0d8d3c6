using Hardway.Api.Core.V1;
using Hardway.Client;
using Hardway.Kubelet.Pods;
using Microsoft.Extensions.Logging;

namespace Hardway.Kubelet.Events;

/// <summary>Tells users what the kubelet does with a Pod: Events in the API (when there is one), and the log. Never waits, never fails.</summary>
internal sealed partial class PodEvents(EventRecorder? recorder, ILogger log)
{
    public void Normal(Pod pod, Container? container, string reason, string message) => Record(pod, container, "Normal", reason, message);

    public void Warning(Pod pod, Container? container, string reason, string message) => Record(pod, container, "Warning", reason, message);

    private void Record(Pod pod, Container? container, string type, string reason, string message)
    {
        LogEvent(log, pod.Metadata.Namespace, pod.Metadata.Name, container?.Name ?? "", reason, message);
        if (recorder == null || pod.IsStatic())
            return;
        recorder.Event(
            new ObjectReference
            {
                Kind = "Pod",
                ApiVersion = "v1",
                Namespace = pod.Metadata.Namespace,
                Name = pod.Metadata.Name,
                Uid = pod.Metadata.Uid,
                ResourceVersion = pod.Metadata.ResourceVersion,
                FieldPath = container == null ? "" : FieldPath(pod, container),
            },
            type, reason, message);
    }

    private static string FieldPath(Pod pod, Container container) =>
        (pod.Spec.InitContainers ?? []).Any(c => c.Name == container.Name) ? $"spec.initContainers{{{container.Name}}}"
        : (pod.Spec.EphemeralContainers ?? []).Any(c => c.Name == container.Name) ? $"spec.ephemeralContainers{{{container.Name}}}"
        : $"spec.containers{{{container.Name}}}";

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Namespace}/{Name} {Container}: {Reason}: {Message}")]
    private static partial void LogEvent(ILogger log, string @namespace, string name, string container, string reason, string message);
}
