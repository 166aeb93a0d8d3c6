using System.Text;
using System.Text.Json.Nodes;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.ControllerManager.Tests.Server;

/// <summary>Does for the Pods of a namespace what kubelets do: starts them (or lets them end, as the test says), and lets go of those that are deleted.</summary>
internal sealed class PretendKubelet : Controller
{
    private readonly KubeClient _client;
    private readonly Informer<Pod> _pods;
    private readonly Func<Pod, string?> _phase;
    private int _address;

    /// <param name="context">Where it runs.</param>
    /// <param name="ns">The namespace it is for.</param>
    /// <param name="phase">The phase a Pod should reach; null: leave it alone. Default: Running (and ready).</param>
    public PretendKubelet(ControllerContext context, string ns, Func<Pod, string?>? phase) : base("kubelet", context.Logs, context.Time)
    {
        Workers = 4;
        _client = context.Root;
        _phase = phase ?? (_ => "Running");
        _pods = Needs(context.Informers.Get<Pod>());
        _pods.AddHandler(p => { if (p.Metadata.Namespace == ns) Queue.Add(KubeKey.Of(p)); });
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_pods.Store.Get(key) is not { } pod) return;
        if (pod.Metadata.DeletionTimestamp is not null)
        {
            await _client.DeleteAsync<Pod>(pod.Metadata.Namespace, pod.Metadata.Name, new DeleteOptions { GracePeriodSeconds = 0, Preconditions = new Preconditions { Uid = pod.Metadata.Uid } }, cancellationToken);
            return;
        }
        if (_phase(pod) is not { } phase || pod.Status.Phase == phase || pod.Status.Phase is "Succeeded" or "Failed") return;
        var number = Interlocked.Increment(ref _address);
        var ip = $"10.200.{number / 250}.{(number % 250) + 1}";
        var at = ApiTime.Format(Time.GetUtcNow());
        var status = new JsonObject
        {
            ["phase"] = phase,
            ["podIP"] = ip,
            ["podIPs"] = new JsonArray(new JsonObject { ["ip"] = ip }),
            ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = phase == "Running" ? "True" : "False", ["lastTransitionTime"] = at }),
        };
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = pod.Metadata.Uid }, ["status"] = status };
        try
        {
            await _client.PatchAsync<Pod>(pod.Metadata.Namespace, pod.Metadata.Name, PatchType.StrategicMerge, Encoding.UTF8.GetBytes(patch.ToJsonString()), cancellationToken, "status");
        }
        catch (ApiException e) when (e.IsNotFound || e.IsConflict)
        {
        }
    }
}
