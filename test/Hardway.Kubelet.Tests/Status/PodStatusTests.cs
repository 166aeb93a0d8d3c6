using System.Text;
using Hardway.Api.Core.V1;
using Hardway.Kubelet.Runtime;
using Hardway.Kubelet.Status;

namespace Hardway.Kubelet.Tests.Status;

public sealed class PodStatusTests
{
    private const string One = "containers:\n- {name: a, image: x}";

    private static PodStatus Build(Pod pod, RuntimePod runtime, bool ending = false, Func<string, ContainerFacts>? facts = null) =>
        PodStatusBuilder.Build(pod, runtime, new PodStatusInput(["10.240.0.80"], facts ?? (_ => ContainerFacts.None), PodMaker.Start.AddMinutes(1), ending));

    private static string Condition(PodStatus status, string type) => status.Conditions!.Single(c => c.Type == type).Status;

    [Fact]
    public void A_pod_without_containers_is_pending_and_creating()
    {
        var pod = PodMaker.Parse(One);
        var status = Build(pod, RuntimePod.Empty(pod.Metadata.Uid));
        Assert.Equal("Pending", status.Phase);
        Assert.Equal("ContainerCreating", status.ContainerStatuses![0].State.Waiting!.Reason);
        Assert.Equal(("False", "False", "True", "True", "False"), (Condition(status, "Ready"), Condition(status, "ContainersReady"), Condition(status, "PodScheduled"), Condition(status, "Initialized"), Condition(status, "PodReadyToStartContainers")));
    }

    [Fact]
    public void A_running_pod_is_ready_and_has_addresses()
    {
        var pod = PodMaker.Parse(One);
        var status = Build(pod, PodMaker.Runtime(pod, ("a", "running", 0)));
        Assert.Equal(("Running", "10.0.0.1", "10.240.0.80"), (status.Phase, status.PodIP, status.HostIP));
        Assert.Equal("True", Condition(status, "Ready"));
        Assert.Equal("containerd://a-0", status.ContainerStatuses![0].ContainerID);
    }

    [Fact]
    public void A_readiness_probe_that_has_not_passed_keeps_the_pod_unready()
    {
        var pod = PodMaker.Parse(One);
        var status = Build(pod, PodMaker.Runtime(pod, ("a", "running", 0)), facts: _ => new ContainerFacts { ReadinessPassed = false });
        Assert.Equal(("Running", "False"), (status.Phase, Condition(status, "Ready")));
        Assert.Equal("containers with unready status: [a]", status.Conditions!.Single(c => c.Type == "Ready").Message);
    }

    [Fact]
    public void A_container_in_back_off_waits_and_shows_how_it_ended()
    {
        var pod = PodMaker.Parse(One);
        var status = Build(pod, PodMaker.Runtime(pod, ("a", "1", 0), ("a", "2", 1)), facts: _ => new ContainerFacts { WaitingReason = "CrashLoopBackOff" });
        var container = status.ContainerStatuses![0];
        Assert.Equal(("Running", "CrashLoopBackOff", 2, 1), (status.Phase, container.State.Waiting!.Reason, container.LastState.Terminated!.ExitCode, container.RestartCount));
    }

    [Theory]
    [InlineData("0", "Succeeded")]
    [InlineData("1", "Failed")]
    public void A_pod_that_is_not_restarted_ends_by_its_exit_code(string exit, string phase)
    {
        var pod = PodMaker.Parse("restartPolicy: Never\n" + One);
        Assert.Equal(phase, Build(pod, PodMaker.Runtime(pod, ("a", exit, 0))).Phase);
    }

    [Fact]
    public void A_final_phase_stays()
    {
        var pod = PodMaker.Parse(One);
        pod.Status.Phase = "Failed";
        pod.Status.Reason = "Evicted";
        var status = Build(pod, PodMaker.Runtime(pod, ("a", "running", 0)));
        Assert.Equal(("Failed", "Evicted"), (status.Phase, status.Reason));
    }

    [Fact]
    public void A_pod_that_is_stopped_by_deletion_has_failed_when_its_containers_did()
    {
        var pod = PodMaker.Parse(One);
        Assert.Equal("Failed", Build(pod, PodMaker.Runtime(pod, ("a", "137", 0)), ending: true).Phase);
        Assert.Equal("Succeeded", Build(pod, PodMaker.Runtime(pod, ("a", "0", 0)), ending: true).Phase);
    }

    [Fact]
    public void Times_of_transition_are_kept_while_a_condition_stays()
    {
        var pod = PodMaker.Parse(One);
        var then = PodMaker.Start.AddSeconds(5);
        pod.Status.Conditions = [new PodCondition { Type = "Ready", Status = "True", LastTransitionTime = then }, new PodCondition { Type = "example.com/gate", Status = "True" }];
        var status = Build(pod, PodMaker.Runtime(pod, ("a", "running", 0)));
        Assert.Equal(then, status.Conditions!.Single(c => c.Type == "Ready").LastTransitionTime);
        Assert.Contains(status.Conditions!, c => c.Type == "example.com/gate");
    }

    [Fact]
    public void The_same_status_needs_no_patch_and_a_change_only_itself()
    {
        var pod = PodMaker.Parse(One);
        var status = Build(pod, PodMaker.Runtime(pod, ("a", "running", 0)));
        Assert.Null(StatusPatch.Create("u", status, (PodStatus)status.DeepClone()));
        var changed = (PodStatus)status.DeepClone();
        changed.Conditions!.Single(c => c.Type == "Ready").Status = "False";
        changed.PodIP = "";
        var patch = Encoding.UTF8.GetString(StatusPatch.Create("u", status, changed)!);
        Assert.Contains("\"podIP\":null", patch, StringComparison.Ordinal);
        Assert.Contains("\"type\":\"Ready\"", patch, StringComparison.Ordinal);
        Assert.DoesNotContain("ContainersReady", patch, StringComparison.Ordinal);
        Assert.DoesNotContain("containerStatuses", patch, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("42", "Running")]
    [InlineData("1", "Failed")]
    public void A_rule_that_restarts_a_container_keeps_its_pod_running(string exit, string phase)
    {
        var pod = PodMaker.Parse("restartPolicy: Never\ncontainers:\n- {name: a, image: x, restartPolicy: Never, restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [42]}}]}");
        Assert.Equal(phase, Build(pod, PodMaker.Runtime(pod, ("a", exit, 1))).Phase);
    }

    [Fact]
    public void A_condition_that_passes_is_taken_away_and_those_of_others_are_not()
    {
        var pod = PodMaker.Parse(One);
        var api = Build(pod, PodMaker.Runtime(pod, ("a", "running", 0)));
        var wanted = (PodStatus)api.DeepClone();
        api.Conditions!.Add(new PodCondition { Type = "PodResizeInProgress", Status = "True" });
        api.Conditions.Add(new PodCondition { Type = "DisruptionTarget", Status = "True", Reason = "PreemptionByScheduler" });
        Assert.Equal("""{"metadata":{"uid":"u"},"status":{"conditions":[{"type":"PodResizeInProgress","$patch":"delete"}]}}""", Encoding.UTF8.GetString(StatusPatch.Create("u", api, wanted)!));
        wanted.Conditions!.Add(new PodCondition { Type = "DisruptionTarget", Status = "True", Reason = PodConditions.ByKubelet });
        api.Conditions.RemoveAll(c => c.Type is "DisruptionTarget" or "PodResizeInProgress");
        Assert.Contains("TerminationByKubelet", Encoding.UTF8.GetString(StatusPatch.Create("u", api, wanted)!), StringComparison.Ordinal);
    }
}
