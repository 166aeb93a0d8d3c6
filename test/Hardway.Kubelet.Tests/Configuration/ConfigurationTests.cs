using System.Text;
using Hardway.Kubelet.Configuration;

namespace Hardway.Kubelet.Tests.Configuration;

public sealed class ConfigurationTests
{
    private const string Head = "\"kind\":\"KubeletConfiguration\",\"apiVersion\":\"kubelet.config.k8s.io/v1beta1\"";

    private static KubeletConfig Read(string fields) => KubeletConfigReader.Read(Encoding.UTF8.GetBytes("{" + Head + (fields.Length > 0 ? "," + fields : "") + "}"), "test.yaml");

    [Fact]
    public void An_empty_configuration_has_upstreams_defaults()
    {
        var config = Read("");
        Assert.Equal((10250, 10248, 110, "/etc/resolv.conf"), (config.Port, config.HealthzPort, config.MaxPods, config.ResolvConf));
        Assert.True(config.FailSwapOn && config.WebhookAuthentication && config.WebhookAuthorization && !config.AnonymousAuthentication);
        Assert.Equal(TimeSpan.FromSeconds(10), config.NodeStatusUpdateFrequency);
    }

    [Fact]
    public void An_unknown_field_is_an_error_with_its_path()
    {
        var e = Assert.Throws<FormatException>(() => Read("\"authentication\":{\"x509\":{\"clientCaFile\":\"x\"}},\"maxPod\":3"));
        Assert.Contains("authentication.x509.clientCaFile", e.Message, StringComparison.Ordinal);
        Assert.Contains("maxPod", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_problem_is_told_at_once()
    {
        var e = Assert.Throws<FormatException>(() => Read("\"port\":\"x\",\"clusterDNS\":[\"nope\"],\"cgroupDriver\":\"foo\""));
        Assert.Contains("port", e.Message, StringComparison.Ordinal);
        Assert.Contains("nope", e.Message, StringComparison.Ordinal);
        Assert.Contains("cgroupDriver", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_known_field_without_effect_is_listed() => Assert.Equal(["rotateCertificates"], Read("\"rotateCertificates\":true").Ignored);

    [Theory]
    [InlineData("15m", 900)]
    [InlineData("1h0m5s", 3605)]
    [InlineData("1.5s", 1.5)]
    [InlineData("250ms", 0.25)]
    [InlineData("0", 0)]
    public void Durations_are_read(string text, double seconds)
    {
        Assert.True(GoDuration.TryParse(text, out var duration));
        Assert.Equal(seconds, duration.TotalSeconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("10")]
    [InlineData("s")]
    [InlineData("5x")]
    public void What_is_not_a_duration_is_refused(string text) => Assert.False(GoDuration.TryParse(text, out _));
}
