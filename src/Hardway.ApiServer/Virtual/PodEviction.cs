using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Api.Policy.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Serving;
using PodStatusOk = Hardway.Api.Core.V1.Status;

namespace Hardway.ApiServer.Virtual;

/// <summary>POST pods/NAME/eviction: deletes a Pod if its PodDisruptionBudget allows it, and takes the disruption from the budget.</summary>
internal sealed class PodEviction(ApiServices services) : IVirtualResource
{
    public string Group => "";

    public string Resource => "pods";

    public string Subresource => "eviction";

    public async ValueTask<ApiStruct> CreateAsync(RequestContext context, ApiStruct body, bool dryRun, CancellationToken cancellationToken)
    {
        var eviction = (Eviction)body;
        var (ns, name) = (context.Info.Namespace, context.Info.Name);
        if (eviction.Metadata.Name.Length > 0 && eviction.Metadata.Name != name)
        {
            throw Statuses.BadRequest("name in URL does not match name in Eviction object");
        }

        var pod = await services.Reader.GetFreshAsync<Pod>(ns, name, cancellationToken).ConfigureAwait(false) ?? throw Statuses.NotFound("", "pods", name);
        var options = eviction.DeleteOptions?.Clone() ?? new DeleteOptions();
        dryRun |= options.DryRun is { Count: > 0 };
        if (!IsFree(pod))
        {
            await TakeDisruptionAsync(pod, dryRun, cancellationToken).ConfigureAwait(false);
        }

        await MarkAsync(context, pod, dryRun, cancellationToken).ConfigureAwait(false);
        options.DryRun = dryRun ? ["All"] : null;
        await services.Delete.RunAsync(new DeleteRequest(services.Scheme.Find("", "v1", "pods")!, ns, name, options) { User = context.User, Context = context, DryRun = dryRun, SkipsAdmission = true }, cancellationToken).ConfigureAwait(false);
        return new PodStatusOk { StatusValue = "Success", Code = 201 };
    }

    /// <summary>Pods that no budget protects: finished, not begun, or already going.</summary>
    private static bool IsFree(Pod pod) => pod.Status.Phase is "Succeeded" or "Failed" or "Pending" || pod.Metadata.DeletionTimestamp is not null;

    private async Task TakeDisruptionAsync(Pod pod, bool dryRun, CancellationToken cancellationToken)
    {
        var budgets = services.Reader.List<PodDisruptionBudget>(pod.Metadata.Namespace).Where(b => b.Spec.Selector is { } selector && Selector.From(selector).Matches(pod.Metadata.Labels)).ToList();
        if (budgets.Count == 0)
        {
            return;
        }

        if (budgets.Count > 1)
        {
            throw Statuses.Plain("the Pod is guarded by more than one PodDisruptionBudget, which eviction does not support");
        }

        var isReady = pod.Status.Conditions?.Any(c => c is { Type: "Ready", Status: "True" }) == true;
        await services.Writer.UpdateStatusAsync<PodDisruptionBudget>(pod.Metadata.Namespace, budgets[0].Metadata.Name, budget => Take(budget, pod, isReady, dryRun), cancellationToken).ConfigureAwait(false);
    }

    private PodDisruptionBudget? Take(PodDisruptionBudget budget, Pod pod, bool isReady, bool dryRun)
    {
        var status = budget.Status;
        if (!isReady && (budget.Spec.UnhealthyPodEvictionPolicy == "AlwaysAllow" || (status.CurrentHealthy >= status.DesiredHealthy && status.DesiredHealthy > 0)))
        {
            return null;
        }

        if (status.ObservedGeneration < budget.Metadata.Generation)
        {
            throw Refuse(budget, $"The disruption budget {budget.Metadata.Name} is still being processed by the server.", 10);
        }

        if (status.DisruptionsAllowed <= 0)
        {
            throw Refuse(budget, $"The disruption budget {budget.Metadata.Name} needs {status.DesiredHealthy} healthy pods and has {status.CurrentHealthy} currently", 0);
        }

        if (dryRun)
        {
            return null;
        }

        status.DisruptionsAllowed--;
        (status.DisruptedPods ??= new(StringComparer.Ordinal))[pod.Metadata.Name] = CreatePipeline.Seconds(services.Time.GetUtcNow());
        return budget;
    }

    private static ApiException Refuse(PodDisruptionBudget budget, string why, int retryAfter)
    {
        _ = budget;
        return Statuses.Make(429, StatusReason.TooManyRequests, "Cannot evict pod as it would violate the pod's disruption budget.", new StatusDetails
        {
            RetryAfterSeconds = retryAfter,
            Causes = [new StatusCause { Reason = "DisruptionBudget", Message = why }],
        });
    }

    private async Task MarkAsync(RequestContext context, Pod pod, bool dryRun, CancellationToken cancellationToken) =>
        await services.Update.RunAsync(new UpdateRequest(services.Scheme.Find("", "v1", "pods")!, pod.Metadata.Namespace, pod.Metadata.Name, current => ValueTask.FromResult<KubeObject>(WithCondition((Pod)current)))
        {
            User = context.User,
            Context = context,
            DryRun = dryRun,
            SkipsAdmission = true,
            Subresource = "status",
            FieldManager = WriteOptions.DefaultManager(context.Request),
        }, cancellationToken).ConfigureAwait(false);

    private Pod WithCondition(Pod current)
    {
        var pod = current.Clone();
        var conditions = pod.Status.Conditions ??= [];
        conditions.RemoveAll(c => c.Type == "DisruptionTarget");
        conditions.Add(new PodCondition
        {
            Type = "DisruptionTarget",
            Status = "True",
            Reason = "EvictionByEvictionAPI",
            Message = "Eviction API: evicting",
            LastTransitionTime = CreatePipeline.Seconds(services.Time.GetUtcNow()),
        });
        return pod;
    }
}
