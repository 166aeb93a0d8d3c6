using Hardway.Api;
using Hardway.Api.Apps.V1;
using Hardway.Api.Batch.V1;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Container = Hardway.Api.Core.V1.Container;

namespace Hardway.ControllerManager.Tests.Server;

/// <summary>Objects as users write them.</summary>
internal static class Samples
{
    public static PodTemplateSpec Template(string app, string image = "pause:1") => new()
    {
        Metadata = new ObjectMeta { Labels = new() { ["app"] = app } },
        Spec = new PodSpec { Containers = [new Container { Name = "c", Image = image }] },
    };

    public static LabelSelector Selecting(string app) => new() { MatchLabels = new() { ["app"] = app } };

    public static Deployment Deployment(string ns, int replicas, string image = "pause:1", int surge = 1, int unavailable = 1) => new()
    {
        Metadata = new ObjectMeta { Namespace = ns, Name = "web" },
        Spec = new DeploymentSpec
        {
            Replicas = replicas,
            Selector = Selecting("web"),
            Template = Template("web", image),
            Strategy = new DeploymentStrategy { Type = "RollingUpdate", RollingUpdate = new RollingUpdateDeployment { MaxSurge = surge, MaxUnavailable = unavailable } },
        },
    };

    public static StatefulSet StatefulSet(string ns, int replicas, string policy = "OrderedReady") => new()
    {
        Metadata = new ObjectMeta { Namespace = ns, Name = "db" },
        Spec = new StatefulSetSpec
        {
            Replicas = replicas,
            ServiceName = "db",
            Selector = Selecting("db"),
            Template = Template("db"),
            PodManagementPolicy = policy,
            VolumeClaimTemplates = [new PersistentVolumeClaim
            {
                Metadata = new ObjectMeta { Name = "data" },
                Spec = new PersistentVolumeClaimSpec { AccessModes = ["ReadWriteOnce"], Resources = new VolumeResourceRequirements { Requests = new() { ["storage"] = Quantity.Parse("1Gi") } } },
            }],
        },
    };

    public static Job Job(string ns, int completions, int parallelism, string mode = "NonIndexed")
    {
        var template = Template("batch");
        template.Spec.RestartPolicy = "Never";
        return new Job { Metadata = new ObjectMeta { Namespace = ns, Name = "batch" }, Spec = new JobSpec { Completions = completions, Parallelism = parallelism, CompletionMode = mode, Template = template } };
    }

    public static Service Service(string ns, string app = "web") => new()
    {
        Metadata = new ObjectMeta { Namespace = ns, Name = app },
        Spec = new ServiceSpec { Selector = new() { ["app"] = app }, Ports = [new ServicePort { Port = 80, TargetPort = 8080 }] },
    };

    public static Node Node(string name) => new() { Metadata = new ObjectMeta { Name = name } };
}
