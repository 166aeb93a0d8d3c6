using System.Text;
using Hardway.Api;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Tests.Registry;

/// <summary>Versions of a kind that differ in shape: nothing is lost on the way there and back.</summary>
public sealed class VersionConversionTests
{
    private const string Autoscaler = """
        {"kind":"HorizontalPodAutoscaler","apiVersion":"autoscaling/v2","metadata":{"name":"a","annotations":{"mine":"1"}},"spec":{"scaleTargetRef":{"kind":"Deployment","name":"d","apiVersion":"apps/v1"},"minReplicas":1,"maxReplicas":5,
        "metrics":[{"type":"External","external":{"metric":{"name":"q","selector":{"matchLabels":{"a":"b"}}},"target":{"type":"Value","value":"30"}}},
        {"type":"Object","object":{"describedObject":{"kind":"Ingress","name":"i","apiVersion":"networking.k8s.io/v1"},"target":{"type":"AverageValue","averageValue":"7"},"metric":{"name":"r"}}},
        {"type":"Pods","pods":{"metric":{"name":"p"},"target":{"type":"AverageValue","averageValue":"2"}}},
        {"type":"ContainerResource","containerResource":{"name":"memory","target":{"type":"Utilization","averageUtilization":70},"container":"c"}},
        {"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":80}}}],
        "behavior":{"scaleDown":{"stabilizationWindowSeconds":60,"selectPolicy":"Max","policies":[{"type":"Pods","value":4,"periodSeconds":15}]}}},
        "status":{"currentReplicas":2,"desiredReplicas":3,"currentMetrics":[{"type":"Resource","resource":{"name":"cpu","current":{"averageValue":"90m","averageUtilization":45}}}],
        "conditions":[{"type":"AbleToScale","status":"True","lastTransitionTime":"2026-01-02T03:04:05Z","reason":"Ready","message":"m"}]}}
        """;

    [Fact]
    public void An_autoscaler_carries_in_annotations_what_its_first_version_cannot_say()
    {
        var (v1, v2) = (Info("autoscaling", "v1", "horizontalpodautoscalers"), Info("autoscaling", "v2", "horizontalpodautoscalers"));
        var newer = Read(v2, Autoscaler);
        var older = (Api.Autoscaling.V1.HorizontalPodAutoscaler)VersionConversion.Convert(newer, v2, v1);
        Assert.Equal((80, 45), (older.Spec.TargetCPUUtilizationPercentage, older.Status.CurrentCPUUtilizationPercentage));
        Assert.Equal("1", older.Metadata.Annotations!["mine"]);
        Assert.StartsWith("""[{"type":"External","external":{"metricName":"q","metricSelector":{"matchLabels":{"a":"b"}},"targetValue":"30"}}""", older.Metadata.Annotations["autoscaling.alpha.kubernetes.io/metrics"], StringComparison.Ordinal);
        Assert.Equal(
            """{"ScaleUp":null,"ScaleDown":{"StabilizationWindowSeconds":60,"SelectPolicy":"Max","Policies":[{"Type":"Pods","Value":4,"PeriodSeconds":15}],"Tolerance":null}}""",
            older.Metadata.Annotations["autoscaling.alpha.kubernetes.io/behavior"]);
        Assert.Equal(newer.ToString(), VersionConversion.Convert(older, v1, v2).ToString());
    }

    [Fact]
    public void An_annotation_that_is_no_json_is_passed_over()
    {
        var (v1, v2) = (Info("autoscaling", "v1", "horizontalpodautoscalers"), Info("autoscaling", "v2", "horizontalpodautoscalers"));
        var older = Read(v1, """{"metadata":{"annotations":{"autoscaling.alpha.kubernetes.io/metrics":"[{","autoscaling.alpha.kubernetes.io/behavior":"7"}},"spec":{"scaleTargetRef":{"kind":"d","name":"d"},"maxReplicas":2,"targetCPUUtilizationPercentage":50}}""");
        var newer = (Api.Autoscaling.V2.HorizontalPodAutoscaler)VersionConversion.Convert(older, v1, v2);
        Assert.Equal(50, Assert.Single(newer.Spec.Metrics!).Resource!.Target.AverageUtilization);
        Assert.Null(newer.Metadata.Annotations);
    }

    [Fact]
    public void Events_have_other_names_for_their_fields_in_their_own_group()
    {
        var (core, events) = (Info("", "v1", "events"), Info("events.k8s.io", "v1", "events"));
        var value = Read(core, """
            {"kind":"Event","apiVersion":"v1","metadata":{"name":"e","namespace":"n"},"involvedObject":{"kind":"Pod","name":"p"},"reason":"R","message":"m","source":{"component":"kubelet","host":"h"},"firstTimestamp":"2026-01-02T03:04:05Z",
            "lastTimestamp":"2026-01-02T03:04:06Z","count":3,"type":"Normal","eventTime":null,"reportingComponent":"kubelet","reportingInstance":"h"}
            """);
        var shown = (Api.Events.V1.Event)VersionConversion.Convert(value, core, events);
        Assert.Equal(("Pod", "m", 3, "kubelet", "h"), (shown.Regarding.Kind, shown.Note, shown.DeprecatedCount, shown.ReportingController, shown.DeprecatedSource.Host));
        Assert.Equal(value.ToString(), VersionConversion.Convert(shown, events, core).ToString());
    }

    [Fact]
    public void Devices_and_their_requests_move_between_their_two_shapes()
    {
        var (beta, stable) = (Info("resource.k8s.io", "v1beta1", "resourceclaims"), Info("resource.k8s.io", "v1", "resourceclaims"));
        var claim = Read(beta, """{"kind":"ResourceClaim","apiVersion":"resource.k8s.io/v1beta1","metadata":{"name":"c"},"spec":{"devices":{"requests":[{"name":"r","deviceClassName":"gpu","allocationMode":"ExactCount","count":2},{"name":"s","firstAvailable":[{"name":"x","deviceClassName":"big"}]}]}}}""");
        var now = (Api.Resource.V1.ResourceClaim)VersionConversion.Convert(claim, beta, stable);
        Assert.Equal(2, now.Spec.Devices.Requests![0].Exactly!.Count);
        Assert.Null(now.Spec.Devices.Requests[1].Exactly);
        Assert.Equal(Clean(claim), Clean(VersionConversion.Convert(now, stable, beta)));
    }

    private static string Clean(KubeObject value) => value.ToString().Replace(",\"status\":{}", "", StringComparison.Ordinal);

    private static ResourceInfo Info(string group, string version, string plural) => ApiCatalog.Find(group, version, plural)!;

    private static KubeObject Read(ResourceInfo info, string json) => (KubeObject)ApiJson.Deserialize(info.Type, Encoding.UTF8.GetBytes(json));
}
