using System.Text.Json;
using Hardway.Lab.Progress;
using Hardway.Provisioning.Steps;
using Hardway.Provisioning.Verification;

namespace Hardway.Lab.Tests;

public class ProgressViewTests
{
    private static StepEvent Event(StepState state, double seconds, string detail = "", string machine = "node-0") => new("containerd", machine, state, TimeSpan.FromSeconds(seconds), detail);

    [Fact]
    public void Plain_lines_tell_what_changed_and_what_failed_and_not_what_was_so_already()
    {
        var output = new StringWriter();
        var view = new PlainProgressView(output);

        view.Step(Event(StepState.Checking, 0));
        view.Step(Event(StepState.Unchanged, 0.1));
        view.Step(Event(StepState.Changed, 1.25));
        view.Step(Event(StepState.Failed, 2, "no space", machine: ""));
        view.Found(new Finding(Module.HighAvailability, "etcd", "three", true, "three members", TimeSpan.FromSeconds(0.5)));

        Assert.Equal("""
               1.25 s  node-0     containerd
               2.00 s  jumpbox    containerd FAILED: no space
               0.50 s  ok    etcd: three members

            """, output.ToString());
    }

    [Fact]
    public void A_step_that_takes_long_tells_what_it_waits_for_now_and_then()
    {
        var output = new StringWriter();
        var view = new PlainProgressView(output);

        foreach (var second in Enumerable.Range(0, 12)) view.Step(Event(StepState.Verifying, second, $"waiting {second}"));

        Assert.Equal(["      5 s  node-0     containerd: waiting 5", "     10 s  node-0     containerd: waiting 10"], output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void Json_is_one_object_a_line()
    {
        var output = new StringWriter();
        var view = new JsonProgressView(output);

        view.Step(Event(StepState.Changed, 1.25, "a \"quote\""));
        view.Say("done");

        var lines = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement).ToList();
        Assert.Equal("changed", lines[0].GetProperty("state").GetString());
        Assert.Equal("a \"quote\"", lines[0].GetProperty("detail").GetString());
        Assert.Equal("done", lines[1].GetProperty("message").GetString());
    }
}
