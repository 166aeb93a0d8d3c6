using Hardway.Api.Core.V1;
using Hardway.Api.Scheduling.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Admission.Plugins.Pods;

/// <summary>Turns a Pod's priority class into its number; keeps that there is one global default at most, and the system's classes.</summary>
internal sealed class PriorityPlugin(IResourceReader reader) : AdmissionPlugin
{
    private const string Group = "scheduling.k8s.io";
    private const string Lower = "PreemptLowerPriority";

    public override string Name => "Priority";

    public override AdmissionOperation Operations => AdmissionOperation.Create | AdmissionOperation.Update | AdmissionOperation.Delete;

    public override async ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (PodSpecs.PodOf(attributes) is not { } pod)
        {
            return;
        }

        if (attributes.Operation == AdmissionOperation.Update)
        {
            // What admission put in at creation is not lost by an update that leaves it out.
            var old = ((Pod)attributes.OldObject!).Spec;
            pod.Spec.Priority ??= old.Priority;
            pod.Spec.PreemptionPolicy ??= old.PreemptionPolicy;
            return;
        }

        var (name, value, policy) = await ClassOfAsync(pod, cancellationToken).ConfigureAwait(false);
        if (pod.Spec.Priority is { } given && given != value)
        {
            throw Refuse(attributes, $"the integer value of priority ({given}) must not be provided in pod spec; priority admission controller computed {value} from the given PriorityClass name");
        }

        if (pod.Spec.PreemptionPolicy is { } asked && asked != policy)
        {
            throw Refuse(attributes, $"the string value of PreemptionPolicy ({asked}) must not be provided in pod spec; priority admission controller computed {policy} from the given PriorityClass name");
        }

        pod.Spec.PriorityClassName = name;
        pod.Spec.Priority = value;
        pod.Spec.PreemptionPolicy = policy;
    }

    public override ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (attributes is not { Group: Group, Resource: "priorityclasses", Subresource: "" })
        {
            return ValueTask.CompletedTask;
        }

        if (attributes.Operation == AdmissionOperation.Delete)
        {
            return attributes.Name.StartsWith("system-", StringComparison.Ordinal)
                ? throw Statuses.Forbidden(Group, "priorityclasses", attributes.Name, "this is a system priority class and cannot be deleted")
                : ValueTask.CompletedTask;
        }

        if (attributes.Object is PriorityClass { GlobalDefault: true } && Default() is { } other && other.Metadata.Name != attributes.Name)
        {
            throw Statuses.Forbidden(Group, "priorityclasses", attributes.Name, $"PriorityClass {other.Metadata.Name} is already marked as default. Only one default can exist");
        }

        return ValueTask.CompletedTask;
    }

    private async ValueTask<(string Name, int Value, string Policy)> ClassOfAsync(Pod pod, CancellationToken cancellationToken)
    {
        var name = pod.Spec.PriorityClassName;
        var found = name.Length == 0
            ? Default()
            : reader.Get<PriorityClass>("", name) ?? await reader.GetFreshAsync<PriorityClass>("", name, cancellationToken).ConfigureAwait(false)
                ?? throw Statuses.Forbidden("", "pods", pod.Metadata.Name, $"no PriorityClass with name {name} was found");
        return found is null ? ("", 0, Lower) : (found.Metadata.Name, found.Value, found.PreemptionPolicy ?? Lower);
    }

    /// <summary>Of several, which only a race can make, the lowest counts.</summary>
    private PriorityClass? Default() => reader.List<PriorityClass>().Where(c => c.GlobalDefault).MinBy(c => c.Value);

    private static ApiException Refuse(AdmissionAttributes attributes, string why) => Statuses.Forbidden("", "pods", attributes.Name, why);
}
