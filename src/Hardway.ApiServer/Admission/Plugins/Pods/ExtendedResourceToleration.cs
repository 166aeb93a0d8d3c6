using Hardway.Api.Core.V1;

namespace Hardway.ApiServer.Admission.Plugins.Pods;

/// <summary>A Pod that asks for a device (example.com/gpu) tolerates the taint of that name, which keeps others off such nodes. Off by default.</summary>
internal sealed class ExtendedResourceToleration : AdmissionPlugin
{
    public override string Name => "ExtendedResourceToleration";

    public override ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (PodSpecs.PodOf(attributes) is { } pod)
        {
            var names = (pod.Spec.Containers ?? []).Concat(pod.Spec.InitContainers ?? []).SelectMany(c => c.Resources.Requests?.Keys.ToArray() ?? []).Where(IsExtended);
            foreach (var name in names.Distinct().Order(StringComparer.Ordinal))
            {
                if (!(pod.Spec.Tolerations ?? []).Any(t => t.Key == name && t.Operator == "Exists" && t.Effect.Length == 0))
                {
                    (pod.Spec.Tolerations ??= []).Add(new Toleration { Key = name, Operator = "Exists" });
                }
            }
        }

        return ValueTask.CompletedTask;
    }

    private static bool IsExtended(string name) =>
        name.Contains('/', StringComparison.Ordinal) && !name.Contains("kubernetes.io/", StringComparison.Ordinal) && !name.StartsWith("requests.", StringComparison.Ordinal);
}
