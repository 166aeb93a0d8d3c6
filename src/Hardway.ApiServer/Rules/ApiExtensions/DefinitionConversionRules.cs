using Hardway.Api.ApiExtensions.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Rules.AdmissionRegistration;

namespace Hardway.ApiServer.Rules.ApiExtensions;

/// <summary>spec.conversion, in the paths of upstream's own form.</summary>
internal static class DefinitionConversionRules
{
    public static void Validate(CustomResourceConversion conversion, FieldPath path, ErrorList errors)
    {
        var webhook = conversion.Webhook;
        switch (conversion.Strategy)
        {
            case "None":
                if (webhook?.ClientConfig is not null)
                {
                    errors.Forbidden(path.Child("webhookClientConfig"), "should not be set when strategy is not set to Webhook");
                }

                if (webhook?.ConversionReviewVersions is { Count: > 0 })
                {
                    errors.Forbidden(path.Child("conversionReviewVersions"), "should not be set when strategy is not set to Webhook");
                }

                break;
            case "Webhook":
                Client(webhook?.ClientConfig, path.Child("webhookClientConfig"), errors);
                AdmissionRegistration.WebhookRules.ReviewVersions(webhook?.ConversionReviewVersions, path.Child("conversionReviewVersions"), errors);
                break;
            default:
                errors.NotSupported(path.Child("strategy"), conversion.Strategy, "None", "Webhook");
                break;
        }
    }

    private static void Client(WebhookClientConfig? client, FieldPath path, ErrorList errors)
    {
        if (client is null)
        {
            errors.Required(path, "required when strategy is set to Webhook");
            return;
        }

        if (client.Url is null == client.Service is null)
        {
            errors.Required(path, "exactly one of url or service is required");
        }
        else if (client.Url is { } url)
        {
            WebhookTargets.Url(url, path.Child("url"), errors);
        }
        else if (client.Service is { } service)
        {
            WebhookTargets.Service(service.Name, service.Namespace, service.Path, service.Port ?? 443, path.Child("service"), errors);
        }

        if (client.CaBundle is { Length: > 0 } bundle && !WebhookTargets.IsBundle(bundle))
        {
            errors.Invalid(path.Child("caBundle"), $"{bundle.Length} bytes", "is no certificate in PEM");
        }
    }
}
