using Hardway.Api.Core.V1;
using Hardway.Kubelet.Pods;
using Hardway.Kubelet.Runtime;
using Hardway.Kubelet.Status;

namespace Hardway.Kubelet.Tests.Pods;

public sealed class PodPlanTests
{
    private const string Two = "containers:\n- {name: a, image: x}\n- {name: b, image: x}";
    private const string WithInit = "initContainers:\n- {name: i1, image: x}\n- {name: side, image: x, restartPolicy: Always}\n- {name: i2, image: x}\ncontainers:\n- {name: a, image: x}";

    private static PodPlan Plan(Pod pod, RuntimePod runtime, Func<RuntimeContainer, string?>? failed = null) => PodPlan.Compute(pod, runtime, failed ?? (_ => null), _ => ContainerFacts.None);

    private static string[] Starts(PodPlan plan) => [.. plan.Start.Select(s => $"{s.Container.Name}{s.Attempt}")];

    [Fact]
    public void A_new_pod_needs_a_sandbox_first()
    {
        var pod = PodMaker.Parse(Two);
        var plan = Plan(pod, RuntimePod.Empty(pod.Metadata.Uid));
        Assert.True(plan.NewSandbox);
        Assert.Empty(plan.Start);
    }

    [Fact]
    public void App_containers_start_together()
    {
        var pod = PodMaker.Parse(Two);
        Assert.Equal(["a0", "b0"], Starts(Plan(pod, PodMaker.Runtime(pod))));
    }

    [Fact]
    public void Init_containers_start_one_after_the_other_and_a_sidecar_is_not_waited_for()
    {
        var pod = PodMaker.Parse(WithInit);
        Assert.Equal(["i10"], Starts(Plan(pod, PodMaker.Runtime(pod))));
        Assert.Empty(Starts(Plan(pod, PodMaker.Runtime(pod, ("i1", "running", 0)))));
        Assert.Equal(["side0"], Starts(Plan(pod, PodMaker.Runtime(pod, ("i1", "0", 0)))));
        Assert.Equal(["i20"], Starts(Plan(pod, PodMaker.Runtime(pod, ("i1", "0", 0), ("side", "running", 0)))));
        Assert.Equal(["a0"], Starts(Plan(pod, PodMaker.Runtime(pod, ("i1", "0", 0), ("side", "running", 0), ("i2", "0", 0)))));
    }

    [Fact]
    public void A_failed_init_container_is_tried_again_unless_the_policy_is_Never()
    {
        var pod = PodMaker.Parse(WithInit);
        Assert.Equal(["i11"], Starts(Plan(pod, PodMaker.Runtime(pod, ("i1", "1", 0)))));
        pod.Spec.RestartPolicy = "Never";
        Assert.True(Plan(pod, PodMaker.Runtime(pod, ("i1", "1", 0))).Finished);
    }

    [Theory]
    [InlineData("Always", "0", false)]
    [InlineData("Always", "1", false)]
    [InlineData("OnFailure", "0", true)]
    [InlineData("OnFailure", "1", false)]
    [InlineData("Never", "1", true)]
    public void The_policy_says_whether_an_ended_container_is_the_end(string policy, string exit, bool finished)
    {
        var pod = PodMaker.Parse("containers:\n- {name: a, image: x}");
        pod.Spec.RestartPolicy = policy;
        var plan = Plan(pod, PodMaker.Runtime(pod, ("a", exit, 3)));
        Assert.Equal(finished, plan.Finished);
        Assert.Equal(finished ? [] : ["a4"], Starts(plan));
    }

    [Fact]
    public void A_sidecar_restarts_though_the_policy_is_Never_and_does_not_keep_the_pod_alive()
    {
        var pod = PodMaker.Parse(WithInit);
        pod.Spec.RestartPolicy = "Never";
        Assert.Equal(["side1"], Starts(Plan(pod, PodMaker.Runtime(pod, ("i1", "0", 0), ("side", "1", 0), ("i2", "0", 0), ("a", "running", 0)))));
        Assert.True(Plan(pod, PodMaker.Runtime(pod, ("i1", "0", 0), ("side", "running", 0), ("i2", "0", 0), ("a", "0", 0))).Finished);
    }

    [Fact]
    public void A_container_whose_probe_failed_is_stopped()
    {
        var pod = PodMaker.Parse(Two);
        var plan = Plan(pod, PodMaker.Runtime(pod, ("a", "running", 0), ("b", "running", 0)), c => c.Name == "b" ? "why" : null);
        Assert.Equal("b-0", Assert.Single(plan.Kill).Target.Id);
    }

    [Fact]
    public void Another_image_replaces_the_container()
    {
        var pod = PodMaker.Parse(Two);
        var runtime = PodMaker.Runtime(pod, ("a", "running", 0), ("b", "running", 0));
        pod.Spec.Containers![0].Image = "y";
        Assert.Equal("a-0", Assert.Single(Plan(pod, runtime).Kill).Target.Id);
    }

    [Fact]
    public void A_broken_sandbox_is_emptied_before_a_new_one_is_made()
    {
        var pod = PodMaker.Parse(Two);
        var runtime = PodMaker.Runtime(pod, ("a", "running", 0));
        runtime = runtime with { Sandboxes = [runtime.Sandboxes[0] with { IsReady = false }] };
        var plan = Plan(pod, runtime);
        Assert.False(plan.NewSandbox);
        Assert.Single(plan.Kill);
    }

    [Fact]
    public void A_finished_pod_needs_no_new_sandbox()
    {
        var pod = PodMaker.Parse("restartPolicy: Never\ncontainers:\n- {name: a, image: x}");
        var runtime = PodMaker.Runtime(pod, ("a", "0", 0));
        Assert.True(Plan(pod, runtime with { Sandboxes = [runtime.Sandboxes[0] with { IsReady = false }] }).Finished);
    }

    [Fact]
    public void A_restart_rule_of_a_container_goes_before_the_policy()
    {
        var pod = PodMaker.Parse("restartPolicy: Never\ncontainers:\n- name: a\n  image: x\n  restartPolicy: Never\n  restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [42]}}]");
        Assert.Equal(["a1"], Starts(Plan(pod, PodMaker.Runtime(pod, ("a", "42", 0)))));
        Assert.True(Plan(pod, PodMaker.Runtime(pod, ("a", "1", 0))).Finished);
    }

    [Fact]
    public void A_rule_may_have_all_containers_begin_anew_from_the_init_containers_on()
    {
        var pod = PodMaker.Parse(
            "restartPolicy: Never\ninitContainers:\n- {name: i, image: x}\ncontainers:\n- {name: a, image: x}\n- {name: w, image: x, restartPolicy: Never, restartPolicyRules: [{action: RestartAllContainers, exitCodes: {operator: In, values: [88]}}]}");
        var plan = Plan(pod, PodMaker.Runtime(pod, ("i", "0", 0), ("w", "88", 0), ("a", "running", 0)));
        Assert.Equal("a", Assert.Single(plan.Kill).Target.Name);
        Assert.Empty(plan.Start);
        // All have ended: the init container first, then the others.
        Assert.Equal(["i1"], Starts(Plan(pod, PodMaker.Runtime(pod, ("i", "0", 0), ("w", "88", 0), ("a", "137", 0)))));
        Assert.Equal(["a1", "w1"], Starts(Plan(pod, PodMaker.Runtime(pod, ("i", "0", 0), ("w", "88", 0), ("a", "137", 0), ("i", "0", 1)))));
    }

    [Theory]
    [InlineData("kernel.shm_rmid_forced", false, true)]
    [InlineData("kernel.msgmax", false, false)]
    [InlineData("net/core/somaxconn", false, true)]
    [InlineData("net.ipv4.tcp_syncookies", true, false)]
    public void Only_safe_or_allowed_sysctls_of_the_pods_own_namespaces_may_be_set(string name, bool hostNetwork, bool allowed)
    {
        var pod = PodMaker.Parse($"hostNetwork: {(hostNetwork ? "true" : "false")}\nsecurityContext: {{sysctls: [{{name: {name}, value: \"1\"}}]}}\ncontainers:\n- {{name: a, image: x}}");
        Assert.Equal(allowed, Sysctls.Refused(pod, ["net.core.*"]) == null);
    }
}
