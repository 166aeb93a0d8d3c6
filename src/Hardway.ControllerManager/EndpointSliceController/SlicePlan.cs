using Hardway.Api;
using Hardway.Api.Discovery.V1;

namespace Hardway.ControllerManager;

/// <summary>
/// What to do to a Service's slices of one address family: pure. Endpoints stay in the slice they are in; slices with room are filled before
/// new ones are made; empty ones go, except that one stays when nothing else is there.
/// </summary>
internal sealed class SlicePlan
{
    public List<EndpointSlice> Create { get; } = [];
    public List<EndpointSlice> Update { get; } = [];
    public List<EndpointSlice> Delete { get; } = [];

    /// <param name="existing">The slices as they are.</param>
    /// <param name="wanted">Endpoints by port set; the key says which ports.</param>
    /// <param name="template">A slice with the right metadata and address type for new ones and for comparing.</param>
    /// <param name="most">Most endpoints in a slice.</param>
    public static SlicePlan Make(IReadOnlyList<EndpointSlice> existing, IReadOnlyDictionary<string, (List<EndpointPort> Ports, List<Endpoint> Endpoints)> wanted, EndpointSlice template, int most)
    {
        var plan = new SlicePlan();
        var kept = 0;
        var byPorts = existing.Where(s => s.AddressType == template.AddressType).ToLookup(s => KeyOf(s.Ports), StringComparer.Ordinal);
        plan.Delete.AddRange(existing.Where(s => s.AddressType != template.AddressType));
        foreach (var group in byPorts.Where(g => !wanted.ContainsKey(g.Key))) plan.Delete.AddRange(group);
        foreach (var (key, (ports, endpoints)) in wanted) kept += plan.Fill([.. byPorts[key]], ports, endpoints, template, most);
        if (kept == 0 && plan.Create.Count == 0) plan.KeepPlaceholder(template);
        return plan;
    }

    public static string KeyOf(IEnumerable<EndpointPort>? ports) =>
        string.Join(';', (ports ?? []).Select(p => $"{p.Name}/{p.Protocol ?? "TCP"}/{p.Port}/{p.AppProtocol}").Order(StringComparer.Ordinal));

    private int Fill(List<EndpointSlice> slices, List<EndpointPort> ports, List<Endpoint> endpoints, EndpointSlice template, int most)
    {
        var left = endpoints.ToDictionary(IdOf, StringComparer.Ordinal);
        List<(EndpointSlice Slice, List<Endpoint> Endpoints)> rows = [];
        foreach (var slice in slices)
        {
            List<Endpoint> stay = [];
            foreach (var old in slice.Endpoints ?? [])
            {
                if (stay.Count < most && left.Remove(IdOf(old), out var now)) stay.Add(now);
            }
            rows.Add((slice, stay));
        }
        var rest = new Queue<Endpoint>(left.Values);
        // The fullest first: half-empty slices run dry instead of multiplying.
        foreach (var (_, stay) in rows.Where(r => r.Endpoints.Count > 0).OrderByDescending(r => r.Endpoints.Count))
        {
            while (stay.Count < most && rest.TryDequeue(out var endpoint)) stay.Add(endpoint);
        }
        foreach (var (_, stay) in rows.Where(r => r.Endpoints.Count == 0))
        {
            while (stay.Count < most && rest.TryDequeue(out var endpoint)) stay.Add(endpoint);
        }
        var kept = 0;
        foreach (var (slice, stay) in rows)
        {
            if (stay.Count == 0)
            {
                Delete.Add(slice);
                continue;
            }
            kept++;
            if (Changed(slice, stay, ports, template) is { } changed) Update.Add(changed);
        }
        while (rest.Count > 0)
        {
            var slice = template.Clone();
            slice.Ports = ports;
            slice.Endpoints = [];
            while (slice.Endpoints.Count < most && rest.TryDequeue(out var endpoint)) slice.Endpoints.Add(endpoint);
            Create.Add(slice);
        }
        return kept;
    }

    private void KeepPlaceholder(EndpointSlice template)
    {
        var reuse = Delete.Find(s => s.AddressType == template.AddressType);
        if (reuse is null)
        {
            var slice = template.Clone();
            slice.Endpoints = [];
            slice.Ports = [];
            Create.Add(slice);
            return;
        }
        Delete.Remove(reuse);
        if (Changed(reuse, [], [], template) is { } changed) Update.Add(changed);
    }

    private static EndpointSlice? Changed(EndpointSlice slice, List<Endpoint> endpoints, List<EndpointPort> ports, EndpointSlice template)
    {
        var changed = slice.Clone();
        changed.Endpoints = endpoints;
        changed.Ports = ports;
        changed.Metadata.Labels = new Dictionary<string, string>(template.Metadata.Labels!, StringComparer.Ordinal);
        var same = ApiStruct.DeepEquals(changed, slice);
        if (template.Metadata.Annotations is { } annotations) changed.Metadata.Annotations = new Dictionary<string, string>(annotations, StringComparer.Ordinal);
        return same ? null : changed;
    }

    private static string IdOf(Endpoint endpoint) => $"{endpoint.TargetRef?.Uid}/{string.Join(',', endpoint.Addresses ?? [])}";
}
