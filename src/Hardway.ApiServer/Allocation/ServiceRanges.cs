using System.Net;
using Hardway.Api.Networking.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using IPAddress = System.Net.IPAddress;

namespace Hardway.ApiServer.Allocation;

/// <summary>
/// The cluster's ranges of Service addresses: one, or one of each IP family, from the flags (the first is what a Service gets that asks for nothing), and
/// those that ServiceCIDR objects add to them, once they are ready and until they go. Safe for all threads.
/// </summary>
internal sealed class ServiceRanges
{
    private readonly List<AddressAllocator> _own;
    private readonly IResourceReader _reader;
    private readonly Func<IResourceWriter> _writer;

    /// <param name="ranges">One or two ranges of different families, as <see cref="TryParse"/> makes them.</param>
    /// <param name="reader">Finds addresses in use, and more ranges.</param>
    /// <param name="writer">Keeps addresses.</param>
    public ServiceRanges(IReadOnlyList<IPNetwork> ranges, IResourceReader reader, Func<IResourceWriter> writer)
    {
        (_reader, _writer) = (reader, writer);
        _own = [.. ranges.Select(r => new AddressAllocator(r, reader, writer))];
        Families = [.. _own.Select(a => a.Family)];
    }

    public AddressAllocator Primary => _own[0];

    /// <summary>IPv4 and IPv6, as far as the flags have them; the primary one first.</summary>
    public IReadOnlyList<string> Families { get; }

    /// <summary>An address that is never given out.</summary>
    public string Example(string family) => _own.Find(a => a.Family == family)!.Example;

    /// <summary>The range that the address can be taken from; null where there is none.</summary>
    public AddressAllocator? Containing(IPAddress address) => All(ServiceFamilies.FamilyOf(address.ToString())).FirstOrDefault(a => a.Contains(address));

    /// <summary>Takes any free address of the family: of the flags' range while it has some.</summary>
    public async ValueTask<string> TakeAsync(string family, string @namespace, string service, CancellationToken cancellationToken)
    {
        foreach (var range in All(family))
        {
            if (await range.TakeAsync(@namespace, service, cancellationToken).ConfigureAwait(false) is { } address)
            {
                return address;
            }
        }

        throw Statuses.Internal("failed to allocate a serviceIP: range is full");
    }

    private IEnumerable<AddressAllocator> All(string family) => _own.Where(a => a.Family == family).Concat(
        from range in _reader.List<ServiceCIDR>().OrderBy(r => r.Metadata.Name, StringComparer.Ordinal)
        where range.Metadata.DeletionTimestamp is null && range.Status.Conditions?.Exists(c => c is { Type: "Ready", Status: "True" }) == true
        from text in range.Spec.Cidrs ?? []
        where ServiceFamilies.FamilyOf(text) == family
        let parsed = Rules.IpForms.TryParseRange(text, out var network) ? network : (IPNetwork?)null
        where parsed is not null
        select new AddressAllocator(parsed.Value, _reader, _writer));

    /// <summary>Reads --service-cluster-ip-range: a range, or two of different families with a comma between them. Says what is wrong with any other.</summary>
    public static string? TryParse(string text, out IReadOnlyList<IPNetwork> ranges)
    {
        var parsed = new List<IPNetwork>();
        ranges = parsed;
        foreach (var part in text.Split(','))
        {
            if (!Rules.IpForms.TryParseRange(part.Trim(), out var range))
            {
                return $"{part} is not a range such as 10.32.0.0/24";
            }

            parsed.Add(range);
        }

        return parsed.Count switch
        {
            1 => null,
            2 when parsed[0].BaseAddress.AddressFamily != parsed[1].BaseAddress.AddressFamily => null,
            2 => "both ranges are of one IP family",
            _ => "there can be two ranges at the most, one of each IP family",
        };
    }
}
