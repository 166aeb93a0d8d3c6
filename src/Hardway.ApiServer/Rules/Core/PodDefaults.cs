using Hardway.Api;
using Hardway.Api.Core.V1;

namespace Hardway.ApiServer.Rules.Core;

/// <summary>The defaults of a Pod's spec: those that every pod template has too, and those of a Pod alone.</summary>
internal static class PodDefaults
{
    private const int FileMode = 420;

    /// <summary>Of a template, wherever one is embedded.</summary>
    public static void ApplyToTemplate(PodSpec spec)
    {
        spec.DnsPolicy = Or(spec.DnsPolicy, "ClusterFirst");
        spec.RestartPolicy = Or(spec.RestartPolicy, "Always");
        spec.SchedulerName = Or(spec.SchedulerName, "default-scheduler");
        spec.SecurityContext ??= new PodSecurityContext();
        spec.TerminationGracePeriodSeconds ??= 30;
        // serviceAccount is the older name of serviceAccountName; both are always there.
        spec.ServiceAccountName = Or(spec.ServiceAccountName, spec.ServiceAccount);
        spec.ServiceAccount = spec.ServiceAccountName;
        if (spec.HostNetwork == true)
        {
            DefaultHostPorts(spec);
        }

        foreach (var volume in spec.Volumes ?? [])
        {
            Apply(volume);
        }

        foreach (var container in Containers(spec))
        {
            Apply(container);
        }

        foreach (var container in spec.EphemeralContainers ?? [])
        {
            ApplyEphemeral(container);
        }

        foreach (var overhead in spec.Overhead?.Keys.ToList() ?? [])
        {
            spec.Overhead![overhead] = RoundToMilli(spec.Overhead[overhead]);
        }
    }

    /// <summary>Of a Pod itself: requests from limits, service links.</summary>
    public static void ApplyToPod(PodSpec spec)
    {
        spec.EnableServiceLinks ??= true;
        foreach (var container in Containers(spec))
        {
            RequestsFromLimits(container.Resources);
        }

        if (spec.Resources is { } all)
        {
            RequestsFromLimits(all);
        }

        ApplyToTemplate(spec);
    }

    private static IEnumerable<Container> Containers(PodSpec spec) => (spec.InitContainers ?? []).Concat(spec.Containers ?? []);

    private static void RequestsFromLimits(ResourceRequirements resources)
    {
        foreach (var (name, limit) in resources.Limits ?? [])
        {
            resources.Requests ??= [];
            resources.Requests.TryAdd(name, limit);
        }
    }

    private static void DefaultHostPorts(PodSpec spec)
    {
        foreach (var port in Containers(spec).SelectMany(c => c.Ports ?? []).Where(p => p.HostPort == 0))
        {
            port.HostPort = port.ContainerPortValue;
        }
    }

    private static void Apply(Container container)
    {
        container.TerminationMessagePath = Or(container.TerminationMessagePath, "/dev/termination-log");
        container.TerminationMessagePolicy = Or(container.TerminationMessagePolicy, "File");
        container.ImagePullPolicy = Or(container.ImagePullPolicy, PullPolicy(container.Image));
        foreach (var port in container.Ports ?? [])
        {
            port.Protocol = Or(port.Protocol, "TCP");
        }

        Apply(container.LivenessProbe);
        Apply(container.ReadinessProbe);
        Apply(container.StartupProbe);
        Apply(container.Lifecycle);
        Apply(container.Env);
        Round(container.Resources);
    }

    private static void ApplyEphemeral(EphemeralContainer container)
    {
        container.TerminationMessagePath = Or(container.TerminationMessagePath, "/dev/termination-log");
        container.TerminationMessagePolicy = Or(container.TerminationMessagePolicy, "File");
        container.ImagePullPolicy = Or(container.ImagePullPolicy, PullPolicy(container.Image));
        Apply(container.Env);
        Apply(container.LivenessProbe);
        Apply(container.ReadinessProbe);
        Apply(container.StartupProbe);
        foreach (var port in container.Ports ?? [])
        {
            port.Protocol = Or(port.Protocol, "TCP");
        }
    }

    private static void Apply(List<EnvVar>? env)
    {
        foreach (var variable in env ?? [])
        {
            if (variable.ValueFrom?.FieldRef is { } field)
            {
                field.ApiVersion = Or(field.ApiVersion, "v1");
            }
        }
    }

    private static void Apply(Lifecycle? lifecycle)
    {
        Apply(lifecycle?.PostStart?.HttpGet);
        Apply(lifecycle?.PreStop?.HttpGet);
    }

    private static void Apply(Probe? probe)
    {
        if (probe is null)
        {
            return;
        }

        probe.TimeoutSeconds = probe.TimeoutSeconds == 0 ? 1 : probe.TimeoutSeconds;
        probe.PeriodSeconds = probe.PeriodSeconds == 0 ? 10 : probe.PeriodSeconds;
        probe.SuccessThreshold = probe.SuccessThreshold == 0 ? 1 : probe.SuccessThreshold;
        probe.FailureThreshold = probe.FailureThreshold == 0 ? 3 : probe.FailureThreshold;
        Apply(probe.HttpGet);
        if (probe.Grpc is { } grpc)
        {
            grpc.Service ??= "";
        }
    }

    private static void Apply(HTTPGetAction? get)
    {
        if (get is not null)
        {
            get.Path = Or(get.Path, "/");
            get.Scheme = Or(get.Scheme, "HTTP");
        }
    }

    /// <summary>Always for an image without a tag or with :latest, else IfNotPresent; a digest counts as a tag.</summary>
    private static string PullPolicy(string image)
    {
        if (image.Contains('@'))
        {
            return "IfNotPresent";
        }

        var slash = image.LastIndexOf('/');
        var colon = image.IndexOf(':', slash + 1);
        return colon < 0 || image[(colon + 1)..] == "latest" ? "Always" : "IfNotPresent";
    }

    private static void Apply(Volume volume)
    {
        var hasSource = false;
        foreach (var field in Volume.TypeSchema.Fields)
        {
            hasSource |= field.Name != "name" && volume.Get(field.Ordinal) is not null;
        }

        if (!hasSource)
        {
            volume.EmptyDir = new EmptyDirVolumeSource();
        }

        ApplyFiles(volume);
        ApplyDisks(volume);
        if (volume.Ephemeral?.VolumeClaimTemplate is { } template)
        {
            template.Spec.VolumeMode ??= "Filesystem";
        }

        if (volume.Image is { } image)
        {
            image.PullPolicy = Or(image.PullPolicy, PullPolicy(image.Reference));
        }
    }

    private static void ApplyFiles(Volume volume)
    {
        if (volume.Secret is { } secret)
        {
            secret.DefaultMode ??= FileMode;
        }

        if (volume.ConfigMap is { } map)
        {
            map.DefaultMode ??= FileMode;
        }

        if (volume.DownwardAPI is { } downward)
        {
            downward.DefaultMode ??= FileMode;
            Apply(downward.Items);
        }

        if (volume.Projected is { } projected)
        {
            projected.DefaultMode ??= FileMode;
            foreach (var source in projected.Sources ?? [])
            {
                Apply(source.DownwardAPI?.Items);
                if (source.ServiceAccountToken is { } token)
                {
                    token.ExpirationSeconds ??= 3600;
                }
            }
        }

        if (volume.HostPath is { } host)
        {
            host.Type ??= "";
        }
    }

    private static void Apply(List<DownwardAPIVolumeFile>? items)
    {
        foreach (var item in items ?? [])
        {
            if (item.FieldRef is { } field)
            {
                field.ApiVersion = Or(field.ApiVersion, "v1");
            }
        }
    }

    private static void ApplyDisks(Volume volume)
    {
        if (volume.Iscsi is { } iscsi)
        {
            iscsi.IscsiInterface = Or(iscsi.IscsiInterface, "default");
        }

        if (volume.Rbd is { } rbd)
        {
            rbd.Pool = Or(rbd.Pool, "rbd");
            rbd.User = Or(rbd.User, "admin");
            rbd.Keyring = Or(rbd.Keyring, "/etc/ceph/keyring");
        }

        if (volume.AzureDisk is { } azure)
        {
            azure.CachingMode ??= "ReadWrite";
            azure.Kind ??= "Shared";
            azure.FsType ??= "ext4";
            azure.ReadOnly ??= false;
        }

        if (volume.ScaleIO is { } scale)
        {
            scale.StorageMode = Or(scale.StorageMode, "ThinProvisioned");
            scale.FsType = Or(scale.FsType, "xfs");
        }
    }

    private static void Round(ResourceRequirements resources)
    {
        foreach (var list in new[] { resources.Limits, resources.Requests })
        {
            foreach (var name in list?.Keys.ToList() ?? [])
            {
                list![name] = RoundToMilli(list[name]);
            }
        }
    }

    /// <summary>Amounts finer than a thousandth are rounded up.</summary>
    private static Quantity RoundToMilli(Quantity value)
    {
        var rounded = Quantity.FromMilli(value.MilliValue);
        return rounded == value || value.MilliValue == long.MaxValue ? value : rounded;
    }

    private static string Or(string value, string fallback) => value.Length == 0 ? fallback : value;
}
