using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Hardway.Api.Core.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>
/// Tells kubelets by an annotation how long they may keep Secrets and ConfigMaps: the more nodes, the longer. The steps overlap, so that a cluster that
/// gains and loses a node does not rewrite every node. Keys are nodes.
/// </summary>
internal sealed class TTLController : ClusterController
{
    internal const string Annotation = "node.alpha.kubernetes.io/ttl";
    private static readonly (int Min, int Max, int Seconds)[] _steps = [(0, 100, 0), (90, 500, 15), (450, 1000, 30), (900, 2000, 60), (1800, int.MaxValue, 300)];
    private readonly Informer<Node> _nodes;
    private readonly Lock _gate = new();
    private int _step;

    public TTLController(ControllerContext context) : base("ttl-controller", "ttl-controller", context)
    {
        _nodes = Watch<Node>();
        _nodes.AddHandler(n => Added(n), (_, n) => Queue.Add(n.Metadata.Name), _ => Resize());
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        Resize();
        var seconds = _steps[_step].Seconds.ToString(CultureInfo.InvariantCulture);
        if (_nodes.Store.Get(key) is not { } node || node.Metadata.Annotations?.GetValueOrDefault(Annotation) == seconds) return;
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [Annotation] = seconds } } };
        await Client.PatchAsync<Node>(null, key, PatchType.StrategicMerge, Encoding.UTF8.GetBytes(patch.ToJsonString()), cancellationToken);
    }

    /// <summary>The step for so many nodes, coming from a step.</summary>
    internal static int StepFor(int nodes, int step)
    {
        while (step > 0 && nodes < _steps[step].Min) step--;
        while (nodes > _steps[step].Max) step++;
        return step;
    }

    internal static int SecondsOf(int step) => _steps[step].Seconds;

    private void Added(Node node)
    {
        Resize();
        Queue.Add(node.Metadata.Name);
    }

    private void Resize()
    {
        lock (_gate)
        {
            var step = StepFor(_nodes.Store.Count, _step);
            if (step == _step) return;
            _step = step;
        }
        foreach (var key in _nodes.Store.Keys()) Queue.Add(key);
    }
}
