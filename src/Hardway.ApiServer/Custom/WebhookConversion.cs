using Hardway.Api;
using Hardway.Api.AdmissionRegistration.V1;
using Hardway.ApiServer.Admission.Dynamic;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Custom;

/// <summary>
/// Strategy Webhook: a ConversionReview there and back. The webhook may change all but the identity: of metadata only labels and annotations are
/// taken from its answer.
/// </summary>
internal sealed class WebhookConversion(string definition, Hardway.Api.ApiExtensions.V1.WebhookConversion config, WebhookClient client) : ICustomConversion
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(30);
    private readonly string _review = "apiextensions.k8s.io/" + ((config.ConversionReviewVersions ?? []).Find(v => v is "v1" or "v1beta1") ?? "v1");
    private readonly WebhookClientConfig _target = Target(config);

    public bool AsksOthers => true;

    public async ValueTask<List<CustomObject>> ConvertAsync(List<CustomObject> values, ResourceInfo wanted, CancellationToken cancellationToken)
    {
        var uid = Guid.NewGuid().ToString();
        try
        {
            var answer = await client.CallAsync(_target, Review(uid, wanted.ApiVersion, values), s_timeout, cancellationToken).ConfigureAwait(false);
            var converted = Read(ApiJson.DeserializeTree(answer), uid);
            if (converted.Count != values.Count)
            {
                throw new WebhookException($"the webhook returned {converted.Count} objects, expected {values.Count}");
            }

            return [.. values.Zip(converted, (from, to) => Checked(from, to, wanted))];
        }
        catch (Exception e) when (e is WebhookException or ApiDecodeException)
        {
            throw Statuses.Internal($"conversion webhook for {definition} failed: {e.Message}", e);
        }
    }

    private static WebhookClientConfig Target(Hardway.Api.ApiExtensions.V1.WebhookConversion config)
    {
        var from = config.ClientConfig ?? new Hardway.Api.ApiExtensions.V1.WebhookClientConfig();
        return new WebhookClientConfig
        {
            Url = from.Url,
            CaBundle = from.CaBundle,
            Service = from.Service is not { } service ? null : new ServiceReference { Name = service.Name, Namespace = service.Namespace, Path = service.Path, Port = service.Port },
        };
    }

    private byte[] Review(string uid, string wanted, List<CustomObject> values) => ApiJson.SerializeTree(new Dictionary<string, object?>(StringComparer.Ordinal)
    {
        ["kind"] = "ConversionReview",
        ["apiVersion"] = _review,
        ["request"] = new Dictionary<string, object?>(StringComparer.Ordinal) { ["uid"] = uid, ["desiredAPIVersion"] = wanted, ["objects"] = values.ConvertAll(v => (object?)ApiJson.ToTree(v)) },
    });

    private List<Dictionary<string, object?>> Read(object? answer, string uid)
    {
        if (answer is not Dictionary<string, object?> review || review.GetValueOrDefault("kind") as string != "ConversionReview" || review.GetValueOrDefault("apiVersion") as string != _review)
        {
            throw new WebhookException($"expected a ConversionReview of {_review}");
        }

        if (review.GetValueOrDefault("response") is not Dictionary<string, object?> response)
        {
            throw new WebhookException("no response provided");
        }

        if (response.GetValueOrDefault("uid") as string != uid)
        {
            throw new WebhookException($"expected response.uid={uid}");
        }

        var result = response.GetValueOrDefault("result") as Dictionary<string, object?>;
        if (result?.GetValueOrDefault("status") as string != "Success")
        {
            throw new WebhookException(result?.GetValueOrDefault("message") as string is { Length: > 0 } why ? why : "the webhook did not say Success");
        }

        return response.GetValueOrDefault("convertedObjects") is List<object?> objects && objects.TrueForAll(o => o is Dictionary<string, object?>)
            ? objects.ConvertAll(o => (Dictionary<string, object?>)o!)
            : throw new WebhookException("the response has no convertedObjects");
    }

    private static CustomObject Checked(CustomObject from, Dictionary<string, object?> to, ResourceInfo wanted)
    {
        var value = (CustomObject)ApiJson.FromTree(wanted.Type, to);
        var (before, after) = (from.Metadata, value.Metadata);
        if (value.ApiVersion != wanted.ApiVersion || value.Kind != wanted.Kind)
        {
            throw new WebhookException($"the webhook returned a {value.Kind} of {value.ApiVersion}, expected a {wanted.Kind} of {wanted.ApiVersion}");
        }

        if (after.Name != before.Name || after.Namespace != before.Namespace || after.Uid != before.Uid)
        {
            throw new WebhookException($"the webhook changed the identity of {before.Name}");
        }

        var kept = (Hardway.Api.Meta.V1.ObjectMeta)before.DeepClone();
        (kept.Labels, kept.Annotations) = (after.Labels, after.Annotations);
        value.Metadata = kept;
        return value;
    }
}
