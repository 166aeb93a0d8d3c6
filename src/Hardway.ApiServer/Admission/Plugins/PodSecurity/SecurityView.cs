using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;

namespace Hardway.ApiServer.Admission.Plugins.PodSecurity;

/// <summary>A Pod as the standards look at it: all containers of whatever sort, in a row.</summary>
internal sealed class SecurityView(ObjectMeta meta, PodSpec spec)
{
    public ObjectMeta Meta { get; } = meta;

    public PodSpec Spec { get; } = spec;

    public IReadOnlyList<ContainerView> Containers { get; } =
    [
        .. (spec.InitContainers ?? []).Concat(spec.Containers ?? []).Select(ContainerView.Of),
        .. (spec.EphemeralContainers ?? []).Select(ContainerView.Of),
    ];

    /// <summary>container "a", or containers "a", "b"; empty for none.</summary>
    public string Names(IEnumerable<string> names)
    {
        var all = names.Distinct().Select(n => $"\"{n}\"").ToList();
        return all.Count switch { 0 => "", 1 => "container " + all[0], _ => "containers " + string.Join(", ", all) };
    }
}

internal sealed record ContainerView(string Name, SecurityContext? Context, IReadOnlyList<int> HostPorts, IReadOnlyList<string> ProbeHosts)
{
    public static ContainerView Of(Container c) =>
        new(c.Name, c.SecurityContext, Ports(c.Ports), Hosts(c.LivenessProbe, c.ReadinessProbe, c.StartupProbe, c.Lifecycle));

    public static ContainerView Of(EphemeralContainer c) =>
        new(c.Name, c.SecurityContext, Ports(c.Ports), Hosts(c.LivenessProbe, c.ReadinessProbe, c.StartupProbe, c.Lifecycle));

    private static List<int> Ports(List<ContainerPort>? ports) => [.. (ports ?? []).Select(p => p.HostPort).Where(p => p != 0)];

    private static List<string> Hosts(Probe? liveness, Probe? readiness, Probe? startup, Lifecycle? lifecycle)
    {
        var hosts = new List<string?>();
        foreach (var probe in new[] { liveness, readiness, startup })
        {
            hosts.Add(probe?.HttpGet?.Host);
            hosts.Add(probe?.TcpSocket?.Host);
        }

        foreach (var handler in new[] { lifecycle?.PostStart, lifecycle?.PreStop })
        {
            hosts.Add(handler?.HttpGet?.Host);
            hosts.Add(handler?.TcpSocket?.Host);
        }

        return [.. hosts.OfType<string>().Where(h => h.Length > 0)];
    }
}
