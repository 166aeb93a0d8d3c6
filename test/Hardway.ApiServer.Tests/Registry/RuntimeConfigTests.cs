using Hardway.Api;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Tests.Registry;

public sealed class RuntimeConfigTests
{
    [Theory]
    [InlineData("api/all=true", "networking.k8s.io", "v1beta1", "servicecidrs", true)]
    [InlineData("api/beta=true", "networking.k8s.io", "v1beta1", "servicecidrs", true)]
    [InlineData("", "networking.k8s.io", "v1beta1", "servicecidrs", false)]
    [InlineData("networking.k8s.io/v1beta1=true", "networking.k8s.io", "v1beta1", "servicecidrs", true)]
    [InlineData("api/all=true,networking.k8s.io/v1beta1=false", "networking.k8s.io", "v1beta1", "servicecidrs", false)]
    [InlineData("batch/v1=false", "batch", "v1", "jobs", false)]
    [InlineData("batch/v1=false,batch/v1/jobs=true", "batch", "v1", "jobs", true)]
    public void The_more_specific_setting_wins(string settings, string group, string version, string plural, bool isOn) =>
        Assert.Equal(isOn, Make(settings).IsOn(ApiCatalog.Find(group, version, plural)!));

    [Theory]
    [InlineData("api/all=true,batch/v1=0", 0)]
    [InlineData("batch/v9=true", 1)]
    [InlineData("api/alpha=perhaps", 1)]
    public void What_is_not_known_is_told(string settings, int problems) => Assert.Equal(problems, Make(settings).Problems().Count());

    private static RuntimeConfig Make(string settings) =>
        new(settings.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(s => s.Split('=')).ToDictionary(p => p[0], p => p[1]), FeatureGates.Default);
}
