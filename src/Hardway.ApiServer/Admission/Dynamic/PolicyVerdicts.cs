using System.Text;
using Hardway.Api;
using Hardway.Api.AdmissionRegistration.V1;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Admission.Dynamic;

/// <summary>What all policies found about one write: warnings at once, audit annotations together, and the first denial as the answer. One request's flow only.</summary>
internal sealed class PolicyVerdicts(AdmissionAttributes attributes)
{
    private const string Failures = "validation.policy.admission.k8s.io/validation_failure";
    private readonly Dictionary<string, List<string>> _annotations = new(StringComparer.Ordinal);
    private readonly List<object?> _audited = [];
    private ApiException? _denial;

    /// <summary>Several bindings of a policy may say something under one key.</summary>
    public void Annotate(string key, string value)
    {
        if (!_annotations.TryGetValue(key, out var values))
        {
            _annotations[key] = values = [];
        }

        if (!values.Contains(value))
        {
            values.Add(value);
        }
    }

    public void Refuse(ValidatingAdmissionPolicy policy, ValidatingAdmissionPolicyBinding binding, int index, string message, string? reason)
    {
        var actions = binding.Spec.ValidationActions ?? [];
        if (actions.Contains("Audit"))
        {
            _audited.Add(new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["message"] = message,
                ["policy"] = policy.Metadata.Name,
                ["binding"] = binding.Metadata.Name,
                ["expressionIndex"] = index.ToString(System.Globalization.CultureInfo.InvariantCulture),
                ["validationActions"] = actions.ConvertAll(a => (object?)a),
            });
        }

        if (actions.Contains("Warn"))
        {
            attributes.Warn($"Validation failed for ValidatingAdmissionPolicy '{policy.Metadata.Name}' with binding '{binding.Metadata.Name}': {message}");
        }

        if (actions.Contains("Deny"))
        {
            _denial ??= Denial($"ValidatingAdmissionPolicy '{policy.Metadata.Name}' with binding '{binding.Metadata.Name}' denied request: {message}", reason);
        }
    }

    /// <exception cref="ApiException">Some policy denies.</exception>
    public void Close()
    {
        foreach (var (key, values) in _annotations)
        {
            attributes.Annotate(key, string.Join(", ", values));
        }

        if (_audited.Count > 0)
        {
            attributes.Annotate(Failures, Encoding.UTF8.GetString(ApiJson.SerializeTree(_audited)));
        }

        if (_denial is not null)
        {
            throw _denial;
        }
    }

    private ApiException Denial(string text, string? reason)
    {
        var (code, why) = reason switch
        {
            StatusReason.Unauthorized => (401, reason),
            StatusReason.Forbidden => (403, reason),
            StatusReason.RequestEntityTooLarge => (413, reason),
            _ => (422, StatusReason.Invalid),
        };
        var refusal = Statuses.Forbidden(attributes.Group, attributes.Resource, attributes.Name, text).Status;
        refusal.Details!.Causes = [new StatusCause { Message = text }];
        return Statuses.Make(code, why, refusal.Message, refusal.Details);
    }
}
