using Hardway.Api;
using Hardway.Api.Admission.V1;
using Hardway.Api.AdmissionRegistration.V1;
using Hardway.Api.Patching;
using Hardway.ApiServer.Authorization;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Admission.Dynamic;

/// <summary>
/// Webhooks that may change objects: one after the other, by the name of their configuration; those that ask for it are asked again when
/// a later one changed something.
/// </summary>
internal sealed class MutatingWebhookPlugin(IResourceReader reader, IAuthorizer authorizer, WebhookClient client) : AdmissionPlugin
{
    private readonly WebhookCaller _caller = new(reader, authorizer, client);

    public override string Name => "MutatingAdmissionWebhook";

    public override AdmissionOperation Operations => AdmissionOperation.All;

    public override async ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        var configurations = reader.List<MutatingWebhookConfiguration>();
        if (configurations.Count == 0 || MatchRules.IsExempt(attributes))
        {
            return;
        }

        var asked = new List<(MutatingWebhook Webhook, WebhookModel Model, int At)>();
        var lastChange = -1;
        var at = 0;
        foreach (var configuration in configurations.OrderBy(c => c.Metadata.Name, StringComparer.Ordinal))
        {
            foreach (var webhook in (configuration.Webhooks ?? []).Where(w => _caller.Match.Fits(w.Rules, w.NamespaceSelector, w.ObjectSelector, attributes)))
            {
                var model = new WebhookModel(configuration.Metadata.Name, webhook.Name, webhook.ClientConfig, webhook.FailurePolicy, webhook.SideEffects, webhook.TimeoutSeconds, webhook.MatchConditions);
                asked.Add((webhook, model, at));
                if (await CallAsync(model, attributes, cancellationToken).ConfigureAwait(false))
                {
                    lastChange = at;
                }

                at++;
            }
        }

        foreach (var (_, model, _) in asked.Where(a => a.Webhook.ReinvocationPolicy == "IfNeeded" && a.At < lastChange))
        {
            await CallAsync(model, attributes, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Did it change the object?</summary>
    private async Task<bool> CallAsync(WebhookModel model, AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        var response = await _caller.CallAsync(model, attributes, cancellationToken).ConfigureAwait(false);
        if (response?.Patch is not { Length: > 0 } patch || attributes.Object is null)
        {
            return false;
        }

        try
        {
            return Apply(response, patch, attributes.Object);
        }
        catch (Exception e) when (e is PatchException or ApiDecodeException or WebhookException)
        {
            return model.Ignores ? false : throw Statuses.Internal($"failed calling webhook \"{model.Name}\": {e.Message}", e);
        }
    }

    private static bool Apply(AdmissionResponse response, byte[] patch, ApiStruct value)
    {
        if (response.PatchType != "JSONPatch")
        {
            throw new WebhookException($"webhook returned a patch of type \"{response.PatchType}\"; only JSONPatch is known");
        }

        var patched = ApiJson.FromTree(value.StructSchema, JsonPatch.Apply(ApiJson.ToTree(value), ApiJson.DeserializeTree(patch)));
        if (ApiStruct.DeepEquals(patched, value))
        {
            return false;
        }

        InPlace.Replace(value, patched);
        return true;
    }
}

/// <summary>Webhooks that look at the outcome: all at once; the first refusal in their order counts.</summary>
internal sealed class ValidatingWebhookPlugin(IResourceReader reader, IAuthorizer authorizer, WebhookClient client) : AdmissionPlugin
{
    private readonly WebhookCaller _caller = new(reader, authorizer, client);

    public override string Name => "ValidatingAdmissionWebhook";

    public override AdmissionOperation Operations => AdmissionOperation.All;

    public override async ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        var configurations = reader.List<ValidatingWebhookConfiguration>();
        if (configurations.Count == 0 || MatchRules.IsExempt(attributes))
        {
            return;
        }

        var calls = new List<Task>();
        foreach (var configuration in configurations.OrderBy(c => c.Metadata.Name, StringComparer.Ordinal))
        {
            foreach (var webhook in (configuration.Webhooks ?? []).Where(w => _caller.Match.Fits(w.Rules, w.NamespaceSelector, w.ObjectSelector, attributes)))
            {
                calls.Add(_caller.CallAsync(new WebhookModel(configuration.Metadata.Name, webhook.Name, webhook.ClientConfig, webhook.FailurePolicy, webhook.SideEffects, webhook.TimeoutSeconds, webhook.MatchConditions), attributes, cancellationToken));
            }
        }

        await Task.WhenAll(calls).ConfigureAwait(false);
    }
}
