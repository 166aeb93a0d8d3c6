using Hardway.Api.Meta.V1;
using Hardway.Api.Resource.V1;
using Hardway.Api.Resource.V1Beta2;
using DeviceTaint = Hardway.Api.Resource.V1.DeviceTaint;
using DeviceToleration = Hardway.Api.Resource.V1.DeviceToleration;
using DeviceRequestAllocationResult = Hardway.Api.Resource.V1.DeviceRequestAllocationResult;

namespace Hardway.ControllerManager.Tests;

public sealed class DeviceTaintsTests
{
    private static readonly DateTimeOffset _now = DateTimeOffset.UnixEpoch.AddYears(56);
    private static readonly DeviceRequestAllocationResult _device = new() { Driver = "gpu.test", Pool = "p", Device = "g0" };

    [Fact]
    public void Rules_taint_the_devices_they_select()
    {
        DeviceTaintRule Rule(string? device, string effect) => new() { Spec = new DeviceTaintRuleSpec { DeviceSelector = new DeviceTaintSelector { Driver = "gpu.test", Device = device }, Taint = new Hardway.Api.Resource.V1Beta2.DeviceTaint { Key = "broken", Effect = effect } } };
        Assert.Single(DeviceTaints.Of(_device, [], [Rule("g0", "NoExecute"), Rule("g1", "NoExecute"), Rule(null, "NoSchedule")]));
        Assert.Single(DeviceTaints.Of(_device, [], [Rule(null, "NoExecute")]));
    }

    [Fact]
    public void Who_does_not_bear_a_taint_goes_at_once_and_who_bears_it_for_a_while_later()
    {
        DeviceTaint[] taints = [new DeviceTaint { Key = "broken", Value = "fan", Effect = "NoExecute", TimeAdded = _now }];
        Assert.Equal(_now, DeviceTaints.EvictAt(taints, [], _now));
        Assert.Equal(_now, DeviceTaints.EvictAt(taints, [new DeviceToleration { Key = "broken", Operator = "Equal", Value = "other" }], _now));
        Assert.Null(DeviceTaints.EvictAt(taints, [new DeviceToleration { Operator = "Exists" }], _now));
        Assert.Equal(_now.AddSeconds(30), DeviceTaints.EvictAt(taints, [new DeviceToleration { Key = "broken", Operator = "Exists", TolerationSeconds = 30 }], _now));
    }
}
