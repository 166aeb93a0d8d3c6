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
/// somebody after them changed something.
/// </summary>
internal sealed class MutatingWebhookPlugin(IResourceReader reader, ResourceScheme scheme, IAuthorizer authorizer, WebhookClient client) : AdmissionPlugin
{
    private readonly WebhookCaller _caller = new(reader, scheme, authorizer, client);

    public override string Name => "MutatingAdmissionWebhook";

    public override AdmissionOperation Operations => AdmissionOperation.All;

    public override async ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        var configurations = reader.List<MutatingWebhookConfiguration>();
        if (configurations.Count == 0 || MatchRules.IsExempt(attributes))
        {
            return;
        }

        var again = attributes.Reinvocation.Of(this);
        if (attributes.Reinvocation.IsSecondRound)
        {
            again.Compare(attributes.Object);
        }

        foreach (var configuration in configurations.OrderBy(c => c.Metadata.Name, StringComparer.Ordinal))
        {
            for (var i = 0; i < configuration.Webhooks?.Count; i++)
            {
                await AskAsync(configuration.Metadata.Name, i, configuration.Webhooks[i], attributes, again, cancellationToken).ConfigureAwait(false);
            }
        }

        again.Remember(attributes.Object);
    }

    private async Task AskAsync(string configuration, int index, MutatingWebhook webhook, AdmissionAttributes attributes, ReinvocationList again, CancellationToken cancellationToken)
    {
        var id = $"{configuration}/{index}/{webhook.Name}";
        var match = _caller.Match.Match(webhook.Rules, webhook.MatchPolicy, webhook.NamespaceSelector, webhook.ObjectSelector, attributes);
        if (!match.Fits || (attributes.Reinvocation.IsSecondRound && !again.IsDue(id)))
        {
            return;
        }

        var model = new WebhookModel(configuration, webhook.Name, webhook.ClientConfig, webhook.FailurePolicy, webhook.SideEffects, webhook.TimeoutSeconds, webhook.MatchConditions, webhook.AdmissionReviewVersions);
        var shown = await VersionedWrites.ShowAsync(attributes, match.Version, cancellationToken).ConfigureAwait(false);
        if (await CallAsync(model, shown, cancellationToken).ConfigureAwait(false))
        {
            await VersionedWrites.TakeBackAsync(attributes, shown, cancellationToken).ConfigureAwait(false);
            again.Changed();
            attributes.Reinvocation.Need();
        }

        if (webhook.ReinvocationPolicy == "IfNeeded")
        {
            again.Asked(id);
        }
    }

    /// <summary>Did it change the object?</summary>
    private async Task<bool> CallAsync(WebhookModel model, AdmissionAttributes shown, CancellationToken cancellationToken)
    {
        var response = await _caller.CallAsync(model, shown, cancellationToken).ConfigureAwait(false);
        if (response?.Patch is not { Length: > 0 } patch || shown.Object is null)
        {
            return false;
        }

        try
        {
            return Apply(response, patch, shown.Object);
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
internal sealed class ValidatingWebhookPlugin(IResourceReader reader, ResourceScheme scheme, IAuthorizer authorizer, WebhookClient client) : AdmissionPlugin
{
    private readonly WebhookCaller _caller = new(reader, scheme, authorizer, client);

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
            foreach (var webhook in configuration.Webhooks ?? [])
            {
                if (_caller.Match.Match(webhook.Rules, webhook.MatchPolicy, webhook.NamespaceSelector, webhook.ObjectSelector, attributes) is { Fits: true } match)
                {
                    var model = new WebhookModel(configuration.Metadata.Name, webhook.Name, webhook.ClientConfig, webhook.FailurePolicy, webhook.SideEffects, webhook.TimeoutSeconds, webhook.MatchConditions, webhook.AdmissionReviewVersions);
                    calls.Add(AskAsync(model, attributes, match.Version, cancellationToken));
                }
            }
        }

        await Task.WhenAll(calls).ConfigureAwait(false);
    }

    private async Task AskAsync(WebhookModel model, AdmissionAttributes attributes, ServedResource? version, CancellationToken cancellationToken) =>
        await _caller.CallAsync(model, await VersionedWrites.ShowAsync(attributes, version, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
}
