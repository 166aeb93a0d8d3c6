using Hardway.Api.Core.V1;
using Hardway.Kubelet.Containers;
using Hardway.Kubelet.Qos;
using Hardway.Kubelet.Resizing;
using Hardway.Kubelet.Runtime;
using Hardway.Kubelet.Status;

namespace Hardway.Kubelet.Pods;

internal sealed record PlannedStart(Container Container, uint Attempt, RuntimeContainer? Last);

internal sealed record PlannedKill(RuntimeContainer Target, string Reason, bool ByProbe);

/// <summary>
/// What is to be done next for a Pod, from what it should be and what the runtime has:
/// a new sandbox, containers to stop, containers to start (init containers one after the other, then the others), or nothing any
/// more because everything has ended for good. Pure; computed again after every step.
/// </summary>
internal sealed record PodPlan(bool NewSandbox, IReadOnlyList<PlannedKill> Kill, IReadOnlyList<PlannedStart> Start, bool Finished)
{
    /// <summary>Running containers that get other resources.</summary>
    public IReadOnlyList<ResizeTarget> Resize { get; private init; } = [];

    private static readonly PodPlan Done = new(false, [], [], true);

    /// <param name="probeFailed">Why a running container must be stopped (its liveness or startup probe failed), or null.</param>
    public static PodPlan Compute(Pod pod, RuntimePod runtime, Func<RuntimeContainer, string?> probeFailed, Func<string, ContainerFacts> facts, Func<Container, ResizeAction>? resize = null)
    {
        var sandbox = runtime.ReadySandbox;
        if (sandbox == null)
        {
            if (AllEnded(pod, runtime))
                return Done;
            // What still runs in a broken sandbox must go before a new one is made.
            var left = runtime.Running.Select(c => new PlannedKill(c, "Pod sandbox changed, it will be killed and re-created.", false)).ToList();
            return left.Count > 0 ? new PodPlan(false, left, [], false) : new PodPlan(true, [], [], false);
        }
        var planner = new Planner(pod, runtime, sandbox.Id, probeFailed, facts, resize ?? (_ => ResizeAction.None));
        return planner.Plan();
    }

    /// <summary>Nothing may be started any more: every container has ended and its policy leaves it so.</summary>
    private static bool AllEnded(Pod pod, RuntimePod runtime)
    {
        if (InitFailed(pod, runtime))
            return true;
        return (pod.Spec.Containers ?? []).All(c => runtime.Latest(c.Name) is { IsExited: true } latest && !RestartRules.MayRestart(pod, c, latest.ExitCode));
    }

    private static bool InitFailed(Pod pod, RuntimePod runtime) => (pod.Spec.InitContainers ?? [])
        .Any(c => !c.IsSidecar() && runtime.Latest(c.Name) is { IsExited: true, ExitCode: not 0 } ended && !RestartRules.MayRestart(pod, c, ended.ExitCode));

    private sealed class Planner(Pod pod, RuntimePod runtime, string sandboxId, Func<RuntimeContainer, string?> probeFailed, Func<string, ContainerFacts> facts, Func<Container, ResizeAction> resize)
    {
        private readonly List<PlannedKill> _kill = [];
        private readonly List<PlannedStart> _start = [];
        private readonly List<ResizeTarget> _resize = [];

        /// <summary>The last end of a container that had all begin anew: what was made before it counts no more.</summary>
        private readonly DateTimeOffset _from = PodQos.AllContainers(pod)
            .SelectMany(c => runtime.Containers.Where(r => r.Name == c.Name && r.IsExited && RestartRules.RestartsAll(c, r.ExitCode)))
            .Select(r => r.FinishedAt ?? DateTimeOffset.MinValue).DefaultIfEmpty(DateTimeOffset.MinValue).Max();

        private bool IsOfNow(RuntimeContainer container) => container.CreatedAt > _from;

        public PodPlan Plan()
        {
            if (InitFailed(pod, runtime) || AppsEnded())
                return Done;
            _kill.AddRange(PodQos.AllContainers(pod).Select(c => runtime.Latest(c.Name)).OfType<RuntimeContainer>().Where(c => c.IsRunning && c.SandboxId == sandboxId && !IsOfNow(c))
                .Select(c => new PlannedKill(c, $"Container {c.Name} is restarted with all containers of the Pod", false)));
            if (_kill.Count > 0 || !PlanInit())
                return Next();
            foreach (var container in pod.Spec.Containers ?? [])
                PlanApp(container);
            foreach (var container in PodStatusBuilder.Ephemeral(pod).Where(c => runtime.Latest(c.Name) == null))
                _start.Add(new PlannedStart(container, 0, null));
            return Next();
        }

        private PodPlan Next() => new(false, _kill, _start, false) { Resize = _resize };

        private bool AppsEnded() => (pod.Spec.Containers ?? []).All(c => runtime.Latest(c.Name) is { IsExited: true } latest && IsOfNow(latest) && !RestartRules.MayRestart(pod, c, latest.ExitCode));

        /// <summary>True when app containers may be started.</summary>
        private bool PlanInit()
        {
            var initialized = (pod.Spec.Containers ?? []).Any(c => Current(c) != null);
            foreach (var container in pod.Spec.InitContainers ?? [])
            {
                var current = Current(container);
                if (container.IsSidecar())
                {
                    PlanApp(container);
                    if (!initialized && (current?.IsRunning != true || facts(container.Name).StartupPassed == false))
                        return false;
                    continue;
                }
                if (initialized || current is { IsExited: true, ExitCode: 0 })
                    continue;
                if (current?.IsRunning == true)
                    return false;
                Start(container);
                return false;
            }
            return true;
        }

        private void PlanApp(Container container)
        {
            var latest = runtime.Latest(container.Name);
            var current = Current(container);
            if (current is { IsRunning: true })
            {
                if (current.Hash.Length > 0 && current.Hash != ContainerStarter.Hash(container))
                    _kill.Add(new PlannedKill(current, $"Container {container.Name} definition changed, will be restarted", false));
                else if (probeFailed(current) is { } why)
                    _kill.Add(new PlannedKill(current, why, true));
                else if (resize(container) is var action && action == ResizeAction.Update)
                    _resize.Add(new ResizeTarget(container, current.Id));
                else if (action == ResizeAction.Restart)
                    _kill.Add(new PlannedKill(current, $"Container {container.Name} resize requires restart", false));
                return;
            }
            if (latest is { IsExited: true } && IsOfNow(latest) && !container.IsSidecar() && !RestartRules.MayRestart(pod, container, latest.ExitCode))
                return;
            Start(container);
        }

        private void Start(Container container)
        {
            var last = runtime.Latest(container.Name);
            // One that was created and never started is made anew under the next number.
            _start.Add(new PlannedStart(container, last == null ? 0 : last.Attempt + 1, last));
        }

        private RuntimeContainer? Current(Container container) => runtime.Containers.FirstOrDefault(c => c.Name == container.Name && c.SandboxId == sandboxId && IsOfNow(c));
    }
}
