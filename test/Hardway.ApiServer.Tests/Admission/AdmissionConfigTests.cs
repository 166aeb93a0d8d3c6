using Hardway.Api.Core.V1;
using Hardway.ApiServer.Admission;
using Hardway.ApiServer.Admission.Plugins.PodSecurity;
using Hardway.ApiServer.Admission.Plugins.Policy;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.Hosting;

namespace Hardway.ApiServer.Tests.Admission;

public sealed class AdmissionConfigTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("admission").FullName;

    [Fact]
    public async Task Namespaces_without_labels_have_the_configured_level_and_exemptions_count()
    {
        File.WriteAllText(Path.Combine(_folder, "pods.yaml"), """
            apiVersion: pod-security.admission.config.k8s.io/v1
            kind: PodSecurityConfiguration
            defaults: {enforce: baseline}
            exemptions: {usernames: [root], namespaces: [free]}
            """);
        var config = Read("""
            - name: PodSecurity
              path: pods.yaml
            - name: EventRateLimit
              configuration:
                apiVersion: eventratelimit.admission.k8s.io/v1alpha1
                kind: Configuration
                limits: [{type: Namespace, qps: 1, burst: 2}]
            """);
        var plugin = new PodSecurityPlugin(new MemoryReader().With(new Namespace { Metadata = { Name = "ns" } }, new Namespace { Metadata = { Name = "free" } }), config.PodSecurity);
        await Assert.ThrowsAsync<ApiException>(async () => await plugin.ValidateAsync(Create("ns", "jane"), TestContext.Current.CancellationToken));
        await plugin.ValidateAsync(Create("ns", "root"), TestContext.Current.CancellationToken);
        await plugin.ValidateAsync(Create("free", "jane"), TestContext.Current.CancellationToken);
        Assert.Equal(new EventLimit(EventLimitType.Namespace, 1, 2, 4096), Assert.Single(config.EventLimits));
    }

    [Theory]
    [InlineData("- name: Frob", "Frob")]
    [InlineData("- name: Priority", "takes no configuration")]
    [InlineData("- name: EventRateLimit\n  configuration: {apiVersion: eventratelimit.admission.k8s.io/v1alpha1, kind: Configuration, limits: [{type: Moon, qps: 1, burst: 1}]}", "Moon")]
    [InlineData("- name: PodSecurity\n  configuration: {apiVersion: pod-security.admission.config.k8s.io/v1, kind: PodSecurityConfiguration, defaults: {enforce: frob}}", "frob")]
    public void A_wrong_configuration_says_where(string plugins, string where) =>
        Assert.Contains(where, Assert.Throws<ComponentException>(() => Read(plugins)).Message, StringComparison.Ordinal);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private AdmissionConfig Read(string plugins)
    {
        var path = Path.Combine(_folder, "admission.yaml");
        File.WriteAllText(path, "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins:\n" + plugins);
        return AdmissionConfig.Read(path);
    }

    private static AdmissionAttributes Create(string ns, string user) => new()
    {
        Operation = AdmissionOperation.Create,
        Group = "",
        Version = "v1",
        Resource = "pods",
        Kind = "Pod",
        Namespace = ns,
        Name = "p",
        Object = new Pod { Metadata = { Name = "p", Namespace = ns }, Spec = { HostNetwork = true, Containers = [new() { Name = "c", Image = "i" }] } },
        User = new UserInfo(user),
    };
}
