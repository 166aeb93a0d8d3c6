using Hardway.Api.Core.V1;
using Hardway.Api.Discovery.V1;
using Hardway.Client;

namespace Hardway.Proxy.Model;

/// <summary>
/// All Service ports, compiled lazily: a change only marks its Service, <see cref="Take"/> compiles what was marked.
/// Marks come from informers' threads; Take is called by the one sync loop.
/// </summary>
internal sealed class ServiceMap(Store<Service> services, Store<EndpointSlice> slices)
{
    public const string ByService = "service";
    private const string ServiceNameLabel = "kubernetes.io/service-name";
    private readonly Lock _lock = new();
    private readonly Dictionary<string, List<ServicePort>> _compiled = new(StringComparer.Ordinal);
    private HashSet<string> _dirty = new(StringComparer.Ordinal);
    private NodeFacts? _node;

    /// <summary>The key of the Service that a slice belongs to; the slice's index, too.</summary>
    public static string KeyOf(EndpointSlice slice) =>
        KubeKey.Of(slice.Metadata.Namespace, slice.Metadata.Labels?.GetValueOrDefault(ServiceNameLabel) ?? "");

    public void Mark(string key)
    {
        lock (_lock)
        {
            _dirty.Add(key);
        }
    }

    /// <summary>All ports now. Unchanged Services give the same instances as before.</summary>
    public List<ServicePort> Take(NodeFacts node)
    {
        HashSet<string> dirty;
        lock (_lock)
        {
            (dirty, _dirty) = (_dirty, new(StringComparer.Ordinal));
        }

        if (_node != node)
        {
            _node = node;
            dirty.UnionWith(services.Keys());
        }

        foreach (var key in dirty)
        {
            if (services.TryGet(key, out var service))
            {
                _compiled[key] = ServiceCompiler.Compile(service, slices.ByIndex(ByService, key), node);
            }
            else
            {
                _compiled.Remove(key);
            }
        }

        var all = new List<ServicePort>(_compiled.Count);
        foreach (var ports in _compiled.Values)
        {
            all.AddRange(ports);
        }

        return all;
    }
}
