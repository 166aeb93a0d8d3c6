using System.Globalization;
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
}

/// <summary>What the client wants to read, from its Accept header.</summary>
internal readonly record struct Negotiation(MediaType Media, Representation As)
{
    public static readonly Negotiation Json = new(MediaType.Json, Representation.Object);

    /// <summary>The first acceptable of the client's wishes, by their weights.</summary>
    /// <exception cref="ApiException">NotAcceptable.</exception>
    public static Negotiation Of(HttpRequest request, bool representations = true, bool protobuf = false)
    {
        var accept = request.Headers.Accept.ToString();
        if (accept.Length == 0)
        {
            return Json;
        }

        Negotiation? best = null;
        var weight = 0.0;
        foreach (var part in accept.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (Read(part, representations, protobuf, out var q) is { } one && q > weight)
            {
                (best, weight) = (one, q);
            }
        }

        return best ?? throw Statuses.NotAcceptable("only the following media types are accepted: application/json, application/yaml" + (protobuf ? ", application/vnd.kubernetes.protobuf" : ""));
    }

    /// <summary>Does the client take this one type (or does it not say what it takes)?</summary>
    public static bool Accepts(HttpRequest request, string type)
    {
        var accept = request.Headers.Accept.ToString();
        return accept.Length == 0 || accept.Split(',', StringSplitOptions.TrimEntries).Any(part => part.Split(';')[0].Trim() is var media && (media == type || media == "*/*"));
    }

    private static Negotiation? Read(string part, bool representations, bool protobuf, out double q)
    {
        q = 1;
        var words = part.Split(';', StringSplitOptions.TrimEntries);
        MediaType? media = words[0].ToLowerInvariant() switch
        {
            "application/json" or "*/*" => MediaType.Json,
            "application/yaml" => MediaType.Yaml,
            "application/vnd.kubernetes.protobuf" when protobuf => MediaType.Protobuf,
            _ => null,
        };
        string kind = "", group = "", version = "";
        foreach (var word in words.AsSpan(1))
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

        if (media is null || kind.Length == 0)
        {
            return media is { } known ? new Negotiation(known, Representation.Object) : null;
        }

        if (!representations || group != "meta.k8s.io" || version is not ("v1" or "v1beta1"))
        {
            return null;
        }

        return kind switch
        {
            "Table" when media != MediaType.Protobuf => new Negotiation(media.Value, Representation.Table),
            "PartialObjectMetadata" or "PartialObjectMetadataList" => new Negotiation(media.Value, Representation.PartialObjectMetadata),
            _ => null,
        };
    }
}
