using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Serving;

namespace Hardway.ApiServer.Virtual;

/// <summary>POST pods/NAME/binding (and the older bindings): gives a Pod its node, once.</summary>
internal sealed class PodBinding(ApiServices services, string subresource) : IVirtualResource
{
    public string Group => "";

    public string Resource => subresource.Length == 0 ? "bindings" : "pods";

    public string Subresource => subresource;

    public async ValueTask<ApiStruct> CreateAsync(RequestContext context, ApiStruct body, bool dryRun, CancellationToken cancellationToken)
    {
        var binding = (Binding)body;
        var name = context.Info.Name.Length > 0 ? context.Info.Name : binding.Metadata.Name;
        if (binding.Metadata.Name.Length > 0 && binding.Metadata.Name != name)
        {
            throw Statuses.BadRequest("name in URL does not match name in Binding object");
        }

        Validate(binding, name);
        var pods = services.Scheme.Find("", "v1", "pods")!;
        await services.Update.RunAsync(new UpdateRequest(pods, context.Info.Namespace, name, current => ValueTask.FromResult<KubeObject>(Bind((Pod)current, binding, services.Time)))
        {
            User = context.User,
            Context = context,
            DryRun = dryRun,
            SkipsAdmission = true,
            // What a binding sets belongs to nobody, as upstream.
            Subresource = "binding",
        }, cancellationToken).ConfigureAwait(false);
        return new Hardway.Api.Core.V1.Status { StatusValue = "Success", Code = 201 };
    }

    private static void Validate(Binding binding, string name)
    {
        var target = binding.Target;
        if (target.Kind.Length > 0 && target.Kind is not ("Node" or "Minion"))
        {
            throw Statuses.Plain($"Binding \"{name}\": target.kind \"{target.Kind}\" is not supported; it must be Node");
        }

        if (target.Name.Length == 0)
        {
            throw Statuses.Plain($"Binding \"{name}\": target.name is required");
        }
    }

    private static Pod Bind(Pod current, Binding binding, TimeProvider time)
    {
        var name = current.Metadata.Name;
        if (binding.Metadata.Uid.Length > 0 && binding.Metadata.Uid != current.Metadata.Uid)
        {
            throw Statuses.Conflict("", "pods", name, $"Precondition failed: UID in precondition: {binding.Metadata.Uid}, UID in object meta: {current.Metadata.Uid}");
        }

        if (current.Metadata.DeletionTimestamp is not null)
        {
            throw Statuses.Conflict("", "pods/binding", name, $"pod {name} is being deleted, cannot be assigned to a host");
        }

        if (current.Spec.NodeName.Length > 0)
        {
            throw Statuses.Conflict("", "pods/binding", name, $"pod {name} is already assigned to node \"{current.Spec.NodeName}\"");
        }

        if (current.Spec.SchedulingGates is { Count: > 0 })
        {
            throw Statuses.Conflict("", "pods/binding", name, $"pod {name} has non-empty .spec.schedulingGates");
        }

        var pod = current.Clone();
        pod.Spec.NodeName = binding.Target.Name;
        foreach (var (key, value) in binding.Metadata.Annotations ?? [])
        {
            (pod.Metadata.Annotations ??= new(StringComparer.Ordinal))[key] = value;
        }

        foreach (var (key, value) in binding.Metadata.Labels ?? [])
        {
            (pod.Metadata.Labels ??= new(StringComparer.Ordinal))[key] = value;
        }

        SetScheduled(pod, time);
        return pod;
    }

    private static void SetScheduled(Pod pod, TimeProvider time)
    {
        var conditions = pod.Status.Conditions ??= [];
        var condition = conditions.Find(c => c.Type == "PodScheduled");
        if (condition is null)
        {
            conditions.Add(condition = new PodCondition { Type = "PodScheduled" });
        }

        if (condition.Status != "True")
        {
            condition.Status = "True";
            condition.LastTransitionTime = CreatePipeline.Seconds(time.GetUtcNow());
            condition.Reason = "";
            condition.Message = "";
        }
    }
}
