using System.Security.Cryptography;
using System.Text;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using Hardway.Pki;

namespace Hardway.ApiServer.Rules.AdmissionRegistration;

/// <summary>Where webhooks are: URLs, Services and the authorities of their certificates.</summary>
internal static class WebhookTargets
{
    public static void Url(string text, FieldPath path, ErrorList errors)
    {
        const string Form = "; desired format: https://host[/path]";
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url))
        {
            errors.Required(path, "url must be a valid URL" + Form);
            return;
        }

        if (url.Scheme != Uri.UriSchemeHttps)
        {
            errors.Invalid(path, url.Scheme, "'https' is the only allowed URL scheme" + Form);
        }

        if (url.Host.Length == 0)
        {
            errors.Invalid(path, url.Host, "host must be specified" + Form);
        }

        if (url.UserInfo.Length > 0)
        {
            errors.Invalid(path, "(user information)", "user information is not permitted in the URL");
        }

        if (url.Fragment.Length > 0)
        {
            errors.Invalid(path, url.Fragment, "fragments are not permitted in the URL");
        }

        if (url.Query.Length > 0)
        {
            errors.Invalid(path, url.Query, "query parameters are not permitted in the URL");
        }
    }

    public static void Service(string name, string @namespace, string? urlPath, int port, FieldPath path, ErrorList errors)
    {
        if (name.Length == 0)
        {
            errors.Required(path.Child("name"));
        }

        if (@namespace.Length == 0)
        {
            errors.Required(path.Child("namespace"));
        }

        if (port is < 1 or > 65535)
        {
            errors.Invalid(path.Child("port"), port, "must be between 1 and 65535");
        }

        if (urlPath is { Length: > 0 } and not "/")
        {
            Path(urlPath, path.Child("path"), errors);
        }
    }

    public static bool IsBundle(byte[] pem)
    {
        try
        {
            return TrustBundle.Parse(Encoding.ASCII.GetString(pem)).Authorities.Count > 0;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static void Path(string text, FieldPath path, ErrorList errors)
    {
        if (text == "//")
        {
            errors.Invalid(path, text, "segment[0] may not be empty");
            return;
        }

        if (text[0] != '/')
        {
            errors.Invalid(path, text, "must start with a '/'");
        }

        var rest = text.EndsWith('/') ? text[1..^1] : text[1..];
        var steps = rest.Split('/');
        for (var i = 0; i < steps.Length; i++)
        {
            if (steps[i].Length == 0)
            {
                errors.Invalid(path, text, $"segment[{i}] may not be empty");
            }
            else if (ObjectNames.DnsSubdomain(steps[i]) is { } wrong)
            {
                errors.Invalid(path, text, $"segment[{i}]: {wrong}");
            }
        }
    }
}
