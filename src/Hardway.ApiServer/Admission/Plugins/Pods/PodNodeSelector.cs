using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Admission.Plugins.Pods;

/// <summary>Pods of a namespace go to the nodes that its annotation selects (key=value,key=value). Off by default.</summary>
internal sealed class PodNodeSelector(IResourceReader reader) : AdmissionPlugin
{
    private const string Annotation = "scheduler.alpha.kubernetes.io/node-selector";

    public override string Name => "PodNodeSelector";

    public override async ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (attributes.Operation == AdmissionOperation.Create && PodSpecs.PodOf(attributes) is { } pod)
        {
            foreach (var (key, value) in await SelectorAsync(attributes, cancellationToken).ConfigureAwait(false))
            {
                var selector = pod.Spec.NodeSelector ??= new(StringComparer.Ordinal);
                if (!selector.TryAdd(key, value) && selector[key] != value)
                {
                    throw Conflict(attributes);
                }
            }
        }
    }

    public override async ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (attributes.Operation == AdmissionOperation.Create && PodSpecs.PodOf(attributes) is { } pod
            && (await SelectorAsync(attributes, cancellationToken).ConfigureAwait(false)).Any(s => pod.Spec.NodeSelector?.GetValueOrDefault(s.Key) != s.Value))
        {
            throw Conflict(attributes);
        }
    }

    private static ApiException Conflict(AdmissionAttributes attributes) => Statuses.Forbidden("", "pods", attributes.Name, "the Pod's node selector conflicts with its namespace's");

    private async ValueTask<Dictionary<string, string>> SelectorAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        var ns = reader.Get<Namespace>("", attributes.Namespace) ?? await reader.GetFreshAsync<Namespace>("", attributes.Namespace, cancellationToken).ConfigureAwait(false);
        var selector = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var term in (ns?.Metadata.Annotations?.GetValueOrDefault(Annotation) ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = term.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                throw Statuses.Forbidden("", "pods", attributes.Name, $"the annotation {Annotation} of the namespace has \"{term}\", which is not key=value");
            }

            selector[term[..equals].Trim()] = term[(equals + 1)..].Trim();
        }

        return selector;
    }
}
