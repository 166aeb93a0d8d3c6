using System.Text;
using Hardway.Api;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Handlers;

/// <summary>Where the next page of a list begins and at which revision; opaque to clients, in upstream's form.</summary>
internal readonly record struct ContinueToken(long Revision, string Start)
{
    public string Encode()
    {
        var tree = new Dictionary<string, object?> { ["v"] = "meta.k8s.io/v1", ["rv"] = Revision, ["start"] = Start };
        return Convert.ToBase64String(ApiJson.SerializeTree(tree)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
    }

    public static ContinueToken Decode(string text)
    {
        try
        {
            var padded = text.Replace('-', '+').Replace('_', '/').TrimEnd('=');
            var bytes = Convert.FromBase64String(padded.PadRight((padded.Length + 3) / 4 * 4, '='));
            if (ApiJson.DeserializeTree(bytes) is Dictionary<string, object?> tree
                && tree.GetValueOrDefault("v") as string == "meta.k8s.io/v1"
                && tree.GetValueOrDefault("rv") is long revision && revision != 0
                && tree.GetValueOrDefault("start") is string { Length: > 0 } start && !start.Split('/').Contains(".."))
            {
                return new ContinueToken(revision, start);
            }
        }
        catch (Exception e) when (e is FormatException or ApiDecodeException or DecoderFallbackException)
        {
            // The same answer as for a token with the wrong content.
        }

        throw Statuses.BadRequest("continue key is not valid");
    }
}
