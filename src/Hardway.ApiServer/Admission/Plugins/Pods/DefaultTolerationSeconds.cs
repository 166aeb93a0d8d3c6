using Hardway.Api.Core.V1;

namespace Hardway.ApiServer.Admission.Plugins.Pods;

/// <summary>How long a Pod stays on a node that is not ready or cannot be reached, where the Pod does not say.</summary>
internal sealed class DefaultTolerationSeconds(long notReady, long unreachable) : AdmissionPlugin
{
    private const string NotReady = "node.kubernetes.io/not-ready";
    private const string Unreachable = "node.kubernetes.io/unreachable";

    public override string Name => "DefaultTolerationSeconds";

    public override ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (PodSpecs.PodOf(attributes) is { } pod)
        {
            Add(pod.Spec, NotReady, notReady);
            Add(pod.Spec, Unreachable, unreachable);
        }

        return ValueTask.CompletedTask;
    }

    private static void Add(PodSpec spec, string key, long seconds)
    {
        if (!(spec.Tolerations ?? []).Any(t => (t.Key == key || t.Key.Length == 0) && (t.Effect is "NoExecute" or "")))
        {
            (spec.Tolerations ??= []).Add(new Toleration { Key = key, Operator = "Exists", Effect = "NoExecute", TolerationSeconds = seconds });
        }
    }
}
