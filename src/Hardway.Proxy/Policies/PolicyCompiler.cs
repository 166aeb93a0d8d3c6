using System.Net;
using Hardway.Api;
using Hardway.Api.Networking.V1;
using Hardway.Proxy.Model;

namespace Hardway.Proxy.Policies;

/// <summary>A NetworkPolicy from the API to its model. Pure. What is malformed allows nothing: the API checked it.</summary>
internal static class PolicyCompiler
{
    public static PolicyModel Compile(NetworkPolicy policy)
    {
        var spec = policy.Spec;
        var @namespace = policy.Metadata.Namespace;

        // Objects written before policyTypes existed have none: ingress always counts, egress where there are rules for it.
        var ingress = spec.PolicyTypes is not { Count: > 0 } types || types.Contains("Ingress");
        var egress = spec.PolicyTypes is { Count: > 0 } given ? given.Contains("Egress") : spec.Egress is { Count: > 0 };
        return new(
            @namespace,
            policy.Metadata.Name,
            Select(spec.PodSelector),
            ingress ? [.. (spec.Ingress ?? []).Select(r => Rule(@namespace, r.From, r.Ports))] : null,
            egress ? [.. (spec.Egress ?? []).Select(r => Rule(@namespace, r.To, r.Ports))] : null);
    }

    private static PolicyRule Rule(string @namespace, List<NetworkPolicyPeer>? peers, List<NetworkPolicyPort>? ports)
    {
        var pods = new List<PodPeer>();
        var addresses = new List<AddressRange>();
        foreach (var peer in peers ?? [])
        {
            if (peer.IpBlock is { } block)
            {
                addresses.AddRange(Block(block));
            }
            else if (peer.NamespaceSelector is not null)
            {
                pods.Add(new(null, Select(peer.NamespaceSelector), peer.PodSelector is null ? Selector.Everything : Select(peer.PodSelector)));
            }
            else if (peer.PodSelector is not null)
            {
                pods.Add(new(@namespace, null, Select(peer.PodSelector)));
            }
        }

        return new PolicyRule
        {
            AnyPeer = peers is not { Count: > 0 },
            Pods = pods,
            Addresses = [.. AddressRange.Join(addresses.Where(a => !a.IsV6)), .. AddressRange.Join(addresses.Where(a => a.IsV6))],
            AnyPort = ports is not { Count: > 0 },
            Ports = [.. (ports ?? []).Select(Port).OfType<PolicyPort>()],
        };
    }

    private static List<AddressRange> Block(IPBlock block)
    {
        if (Parse(block.Cidr) is not { } range)
        {
            return [];
        }

        return AddressRange.Subtract(range, (block.Except ?? []).Select(Parse).OfType<AddressRange>().Where(e => e.IsV6 == range.IsV6));
    }

    /// <summary>"10.0.0.7/8" is taken as 10.0.0.0/8, as everywhere in Kubernetes.</summary>
    private static AddressRange? Parse(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !System.Net.IPAddress.TryParse(text.AsSpan(0, slash), out var address) || !int.TryParse(text.AsSpan(slash + 1), out var length))
        {
            return null;
        }

        var bytes = address.GetAddressBytes();
        if (length < 0 || length > bytes.Length * 8)
        {
            return null;
        }

        for (var i = 0; i < bytes.Length; i++)
        {
            var keep = Math.Clamp(length - (8 * i), 0, 8);
            bytes[i] &= (byte)(0xff << (8 - keep));
        }

        return AddressRange.Of(new IPNetwork(new System.Net.IPAddress(bytes), length));
    }

    private static PolicyPort? Port(NetworkPolicyPort port)
    {
        L4Protocol? protocol = (port.Protocol ?? "TCP") switch
        {
            "TCP" => L4Protocol.Tcp,
            "UDP" => L4Protocol.Udp,
            "SCTP" => L4Protocol.Sctp,
            _ => null,
        };
        return (protocol, port.Port) switch
        {
            (null, _) => null,
            (_, null) => new(protocol.Value, 0, 0, ""),
            (_, { IsInt: false } name) => new(protocol.Value, 0, 0, name.StringValue),
            (_, { } number) => new(protocol.Value, number.IntValue, Math.Max(port.EndPort ?? number.IntValue, number.IntValue), ""),
        };
    }

    private static Selector Select(Api.Meta.V1.LabelSelector? selector)
    {
        try
        {
            return Selector.From(selector ?? new());
        }
        catch (FormatException)
        {
            return Selector.Nothing;
        }
    }
}
