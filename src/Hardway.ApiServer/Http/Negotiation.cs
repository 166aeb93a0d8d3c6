using System.Globalization;
using Hardway.Api.Protobuf;
using Hardway.ApiServer.Errors;
using Microsoft.AspNetCore.Http;

namespace Hardway.ApiServer.Http;

internal enum MediaType
{
    Json,
    Yaml,
    Protobuf,
}

internal enum Representation
{
    Object,
    Table,
    PartialObjectMetadata,
    PartialObjectMetadataList,
}

/// <summary>What an endpoint can answer with beyond objects in JSON.</summary>
[Flags]
internal enum Offer
{
    Json = 0,
    Yaml = 1,
    Protobuf = 2,
    Representations = 4,
    All = Yaml | Protobuf | Representations,
}

/// <summary>What the client wants to read, from its Accept header; <paramref name="Version"/> is that of the representation's group, meta.k8s.io.</summary>
internal readonly record struct Negotiation(MediaType Media, Representation As, string Version = "v1")
{
    public static readonly Negotiation Json = new(MediaType.Json, Representation.Object);

    public bool IsPartial => As is Representation.PartialObjectMetadata or Representation.PartialObjectMetadataList;

    /// <summary>The apiVersion of a table or of partial metadata.</summary>
    public string ApiVersion => "meta.k8s.io/" + Version;

    /// <summary>The first acceptable of the client's wishes, by their weights.</summary>
    /// <exception cref="ApiException">NotAcceptable.</exception>
    public static Negotiation Of(HttpRequest request, Offer offer = Offer.All)
    {
        var accept = request.Headers.Accept.ToString();
        if (accept.Length == 0)
        {
            return Json;
        }

        Negotiation? best = null;
        var weight = 0.0;
        var known = false;
        foreach (var part in accept.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var words = part.Split(';', StringSplitOptions.TrimEntries);
            var media = MediaOf(words[0], offer);
            known |= MediaOf(words[0], Offer.All) is not null;
            if (media is { } type && Read(words, type, offer, out var q) is { } one && q > weight)
            {
                (best, weight) = (one, q);
            }
        }

        return best ?? throw Refuse(offer, known);
    }

    /// <summary>Does the client take this one type (or does it not say what it takes)?</summary>
    public static bool Accepts(HttpRequest request, string type)
    {
        var accept = request.Headers.Accept.ToString();
        return accept.Length == 0 || accept.Split(',', StringSplitOptions.TrimEntries).Any(part => part.Split(';')[0].Trim() is var media && (media == type || media == "*/*"));
    }

    /// <summary>A media type that is known but refused for what it asks is answered without details, as upstream's two places for it do.</summary>
    private static ApiException Refuse(Offer offer, bool known) => Statuses.NotAcceptable(
        "only the following media types are accepted: application/json"
        + ((offer & Offer.Yaml) != 0 ? ", application/yaml" : "")
        + ((offer & Offer.Protobuf) != 0 ? ", " + ApiProtobuf.MediaType : ""),
        details: !known && (offer & Offer.Protobuf) != 0);

    private static MediaType? MediaOf(string name, Offer offer) => name.ToLowerInvariant() switch
    {
        "application/json" or "*/*" => MediaType.Json,
        "application/yaml" when (offer & Offer.Yaml) != 0 => MediaType.Yaml,
        ApiProtobuf.MediaType when (offer & Offer.Protobuf) != 0 => MediaType.Protobuf,
        _ => null,
    };

    private static Negotiation? Read(ReadOnlySpan<string> words, MediaType media, Offer offer, out double q)
    {
        q = 1;
        string kind = "", group = "", version = "";
        foreach (var word in words[1..])
        {
            var equals = word.IndexOf('=');
            var (name, value) = equals < 0 ? (word, "") : (word[..equals], word[(equals + 1)..]);
            switch (name)
            {
                case "q":
                    q = double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : 1;
                    break;
                case "as":
                    kind = value;
                    break;
                case "g":
                    group = value;
                    break;
                case "v":
                    version = value;
                    break;
                case "stream" when value != "watch":
                    return null;
            }
        }

        if (kind.Length == 0)
        {
            return new Negotiation(media, Representation.Object);
        }

        if ((offer & Offer.Representations) == 0 || group != "meta.k8s.io" || version is not ("v1" or "v1beta1"))
        {
            return null;
        }

        return kind switch
        {
            // Tables have no message in protobuf.
            "Table" when media != MediaType.Protobuf => new Negotiation(media, Representation.Table, version),
            "PartialObjectMetadata" => new Negotiation(media, Representation.PartialObjectMetadata, version),
            "PartialObjectMetadataList" => new Negotiation(media, Representation.PartialObjectMetadataList, version),
            _ => null,
        };
    }
}
