using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Admission.Plugins.Limits;

/// <summary>A namespace's LimitRanges: fills in what containers leave open, refuses what is below or above.</summary>
internal sealed class LimitRanger(IResourceReader reader) : AdmissionPlugin
{
    private const string Annotation = "kubernetes.io/limit-ranger";

    public override string Name => "LimitRanger";

    public override ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (attributes.Operation == AdmissionOperation.Create && PodOf(attributes) is { } pod)
        {
            foreach (var range in reader.List<LimitRange>(attributes.Namespace))
            {
                Fill(pod, range);
            }
        }

        return ValueTask.CompletedTask;
    }

    public override ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        var errors = new List<string>();
        if (PodOf(attributes) is { } pod)
        {
            foreach (var item in Items(attributes.Namespace))
            {
                LimitCheck.Pod(item, pod, errors);
            }
        }
        else if (attributes is { Group: "", Resource: "persistentvolumeclaims", Subresource: "", Object: PersistentVolumeClaim claim })
        {
            foreach (var item in Items(attributes.Namespace).Where(i => i.Type == "PersistentVolumeClaim"))
            {
                LimitCheck.Claim(item, claim, errors);
            }
        }

        return errors.Count == 0
            ? ValueTask.CompletedTask
            : throw Statuses.Forbidden("", attributes.Resource, attributes.Name, errors.Count == 1 ? errors[0] : "[" + string.Join(", ", errors) + "]");
    }

    /// <summary>A new Pod, or one that is resized: other changes cannot touch resources.</summary>
    private static Pod? PodOf(AdmissionAttributes attributes) => attributes is { Group: "", Resource: "pods", Object: Pod pod }
        && (attributes is { Operation: AdmissionOperation.Create, Subresource: "" } or { Operation: AdmissionOperation.Update, Subresource: "resize" }) ? pod : null;

    private IEnumerable<LimitRangeItem> Items(string ns) => reader.List<LimitRange>(ns).SelectMany(r => r.Spec.Limits ?? []);

    private static void Fill(Pod pod, LimitRange range)
    {
        var requests = new SortedDictionary<string, Quantity>(StringComparer.Ordinal);
        var limits = new SortedDictionary<string, Quantity>(StringComparer.Ordinal);
        foreach (var item in (range.Spec.Limits ?? []).Where(i => i.Type == "Container"))
        {
            Add(requests, item.DefaultRequest);
            Add(limits, item.Default);
        }

        var notes = new List<string>();
        foreach (var container in pod.Spec.Containers ?? [])
        {
            Fill(container, "container", requests, limits, notes);
        }

        foreach (var container in pod.Spec.InitContainers ?? [])
        {
            Fill(container, "init container", requests, limits, notes);
        }

        if (notes.Count > 0)
        {
            (pod.Metadata.Annotations ??= new(StringComparer.Ordinal))[Annotation] = "LimitRanger plugin set: " + string.Join("; ", notes);
        }
    }

    private static void Add(SortedDictionary<string, Quantity> all, Dictionary<string, Quantity>? more)
    {
        foreach (var (name, value) in more ?? [])
        {
            all[name] = value;
        }
    }

    private static void Fill(Container container, string what, SortedDictionary<string, Quantity> requests, SortedDictionary<string, Quantity> limits, List<string> notes)
    {
        var setLimits = Missing(container.Resources.Limits, limits);
        var setRequests = Missing(container.Resources.Requests, requests);
        foreach (var name in setRequests)
        {
            (container.Resources.Requests ??= new(StringComparer.Ordinal))[name] = requests[name];
        }

        foreach (var name in setLimits)
        {
            (container.Resources.Limits ??= new(StringComparer.Ordinal))[name] = limits[name];
        }

        Note(setRequests, "request");
        Note(setLimits, "limit");

        void Note(List<string> names, string kind)
        {
            if (names.Count > 0)
            {
                notes.Add($"{string.Join(", ", names)} {kind} for {what} {container.Name}");
            }
        }
    }

    private static List<string> Missing(Dictionary<string, Quantity>? have, SortedDictionary<string, Quantity> wanted) => [.. wanted.Keys.Where(k => !(have?.ContainsKey(k) ?? false))];
}
