using Hardway.Api.Core.V1;
using Hardway.Api.NodeApi.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Admission.Plugins.Pods;

/// <summary>A Pod's runtime class brings what it costs (overhead) and where it can run (node selector, tolerations).</summary>
internal sealed class RuntimeClassPlugin(IResourceReader reader) : AdmissionPlugin
{
    public override string Name => "RuntimeClass";

    public override AdmissionOperation Operations => AdmissionOperation.Create;

    public override async ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (PodSpecs.PodOf(attributes) is not { } pod)
        {
            return;
        }

        var found = await ClassOfAsync(attributes, pod, cancellationToken).ConfigureAwait(false);
        CheckOverhead(attributes, pod, found);
        if (found is null)
        {
            return;
        }

        if (found.Overhead?.PodFixed is { } overhead)
        {
            pod.Spec.Overhead ??= new(overhead, StringComparer.Ordinal);
        }

        foreach (var (key, value) in found.Scheduling?.NodeSelector ?? [])
        {
            if ((pod.Spec.NodeSelector ??= new(StringComparer.Ordinal)).TryGetValue(key, out var own) && own != value)
            {
                throw Refuse(attributes, $"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; pod.spec.nodeSelector[{key}] = {own}");
            }

            pod.Spec.NodeSelector[key] = value;
        }

        foreach (var toleration in found.Scheduling?.Tolerations ?? [])
        {
            if (!(pod.Spec.Tolerations ??= []).Any(t => Api.ApiStruct.DeepEquals(t, toleration)))
            {
                pod.Spec.Tolerations.Add((Toleration)toleration.DeepClone());
            }
        }
    }

    public override async ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (PodSpecs.PodOf(attributes) is { } pod)
        {
            CheckOverhead(attributes, pod, await ClassOfAsync(attributes, pod, cancellationToken).ConfigureAwait(false));
        }
    }

    private async ValueTask<RuntimeClass?> ClassOfAsync(AdmissionAttributes attributes, Pod pod, CancellationToken cancellationToken) =>
        pod.Spec.RuntimeClassName is not { } name
            ? null
            : reader.Get<RuntimeClass>("", name) ?? await reader.GetFreshAsync<RuntimeClass>("", name, cancellationToken).ConfigureAwait(false)
                ?? throw Refuse(attributes, $"pod rejected: RuntimeClass \"{name}\" not found");

    private static void CheckOverhead(AdmissionAttributes attributes, Pod pod, RuntimeClass? found)
    {
        if (pod.Spec.Overhead is not { Count: > 0 } own)
        {
            return;
        }

        if (found?.Overhead?.PodFixed is not { } wanted)
        {
            throw Refuse(attributes, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
        }

        if (own.Count != wanted.Count || own.Any(o => !wanted.TryGetValue(o.Key, out var value) || value.CompareTo(o.Value) != 0))
        {
            throw Refuse(attributes, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
        }
    }

    private static ApiException Refuse(AdmissionAttributes attributes, string why) => Statuses.Forbidden("", "pods", attributes.Name, why);
}
