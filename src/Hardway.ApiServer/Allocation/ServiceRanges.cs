using System.Net;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Allocation;

/// <summary>The cluster's ranges of Service addresses: one, or one of each IP family, of which the first is what a Service gets that asks for nothing. Immutable.</summary>
internal sealed class ServiceRanges
{
    private readonly List<AddressAllocator> _all;

    /// <param name="ranges">One or two ranges of different families, as <see cref="TryParse"/> makes them.</param>
    /// <param name="reader">Finds addresses in use.</param>
    /// <param name="writer">Keeps them.</param>
    public ServiceRanges(IReadOnlyList<IPNetwork> ranges, IResourceReader reader, Func<IResourceWriter> writer)
    {
        _all = [.. ranges.Select(r => new AddressAllocator(r, reader, writer))];
        Families = [.. _all.Select(a => a.Family)];
    }

    public AddressAllocator Primary => _all[0];

    /// <summary>IPv4 and IPv6, as far as the cluster has them; the primary one first.</summary>
    public IReadOnlyList<string> Families { get; }

    public AddressAllocator Of(string family) => _all.Find(a => a.Family == family) ?? throw new ArgumentException($"{family} is no family of this cluster", nameof(family));

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
