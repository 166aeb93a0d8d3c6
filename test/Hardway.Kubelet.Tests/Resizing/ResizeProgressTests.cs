using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Kubelet.Pods;
using Hardway.Kubelet.Resizing;
using Hardway.Kubelet.Status;
using Hardway.Kubelet.Volumes;
using Hardway.Linux.Machine;

namespace Hardway.Kubelet.Tests.Resizing;

public sealed class ResizeProgressTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("hardway-resize-").FullName;
    private readonly AdmissionCheck _admission;
    private PodAllocations _allocations;

    public ResizeProgressTests()
    {
        var machine = new MachineInfo("", "", "", "", "", "", 4, 4L << 30, 0, 1000);
        var amounts = new Dictionary<string, Quantity> { ["cpu"] = Quantity.FromValue(2), ["memory"] = Quantity.Parse("1Gi"), ["pods"] = Quantity.FromValue(10) };
        _admission = new AdmissionCheck(new NodeFacts("n", ["10.0.0.1"], machine, amounts, amounts, "containerd 1.6.20"), [], () => new HashSet<string>());
        _allocations = new PodAllocations(new PodDirectories(_root));
    }

    public void Dispose() => Directory.Delete(_root, true);

    private static Pod Pod(string name, string cpu, string policy = "[]")
    {
        var pod = PodMaker.Parse($"containers:\n- {{name: a, image: x, resources: {{requests: {{cpu: {cpu}}}, limits: {{cpu: {cpu}}}}}, resizePolicy: {policy}}}");
        (pod.Metadata.Uid, pod.Metadata.Name, pod.Metadata.Annotations) = (name, name, null);
        return pod;
    }

    private static string Cpu(Pod pod) => pod.Spec.Containers![0].Resources.Requests!["cpu"].ToString();

    private static string[] Conditions(ResizeProgress progress, Pod pod) => [.. progress.Conditions(pod, PodMaker.Runtime(pod, ("a", "running", 0))).Select(c => $"{c.Type} {c.Reason}".Trim())];

    private ResizeProgress Started(Pod pod)
    {
        var progress = new ResizeProgress(_allocations, _admission);
        Assert.Null(_admission.Admit(pod, false));
        Assert.Same(pod, progress.Decide(pod));
        progress.Actuated(pod, "a");
        Assert.Empty(Conditions(progress, pod));
        return progress;
    }

    [Fact]
    public void A_resize_that_fits_is_allocated_and_in_progress_until_the_container_has_it()
    {
        var progress = Started(Pod("p", "500m"));
        var wanted = Pod("p", "1");
        Assert.Equal("1", Cpu(progress.Decide(wanted)));
        Assert.Equal(ResizeAction.Update, progress.ActionFor(wanted, wanted.Spec.Containers![0]));
        Assert.Equal(["PodResizeInProgress"], Conditions(progress, wanted));
        progress.Failed("broken");
        Assert.Equal(["PodResizeInProgress Error"], Conditions(progress, wanted));
        progress.Actuated(wanted, "a");
        Assert.Empty(Conditions(progress, wanted));
    }

    [Fact]
    public void What_never_fits_is_infeasible_and_what_does_not_fit_now_is_deferred_until_it_does()
    {
        var other = Pod("other", "1");
        Assert.Null(_admission.Admit(other, false));
        var progress = Started(Pod("p", "500m"));
        Assert.Equal("500m", Cpu(progress.Decide(Pod("p", "3"))));
        Assert.Equal(["PodResizePending Infeasible"], Conditions(progress, Pod("p", "3")));
        Assert.Equal("500m", Cpu(progress.Decide(Pod("p", "1500m"))));
        Assert.Equal(["PodResizePending Deferred"], Conditions(progress, Pod("p", "500m")));
        Assert.True(progress.IsDeferred);
        _admission.Forget("other");
        Assert.Equal("1500m", Cpu(progress.Decide(Pod("p", "1500m"))));
    }

    [Fact]
    public void A_policy_may_ask_for_a_restart_and_the_plan_does_so()
    {
        var progress = Started(Pod("p", "500m"));
        var wanted = Pod("p", "1", "[{resourceName: cpu, restartPolicy: RestartContainer}]");
        progress.Decide(wanted);
        var plan = PodPlan.Compute(wanted, PodMaker.Runtime(wanted, ("a", "running", 0)), _ => null, _ => ContainerFacts.None, c => progress.ActionFor(wanted, c));
        Assert.Equal("a", Assert.Single(plan.Kill).Target.Name);
        Assert.Empty(plan.Resize);
    }

    [Fact]
    public void A_kubelet_that_starts_again_goes_on_with_what_was_allocated()
    {
        Started(Pod("p", "500m"));
        _allocations = new PodAllocations(new PodDirectories(_root));
        var progress = new ResizeProgress(_allocations, _admission);
        Assert.Equal("500m", Cpu(progress.Decide(Pod("p", "3"))));
        Assert.Equal("500m", progress.ActuatedResources(Pod("p", "3"), "a")!.Limits!["cpu"].ToString());
    }
}
