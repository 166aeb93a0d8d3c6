namespace Hardway.ApiServer.Admission;

/// <summary>The plugins in upstream's order: all admit, some of them twice (<see cref="Reinvocation"/>), then all validate.</summary>
internal sealed class AdmissionChain(params IReadOnlyList<AdmissionPlugin> plugins)
{
    public IReadOnlyList<AdmissionPlugin> Plugins => plugins;

    public async ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        await RoundAsync(attributes, cancellationToken).ConfigureAwait(false);
        if (attributes.Reinvocation.IsNeeded)
        {
            attributes.Reinvocation.BeginSecondRound();
            await RoundAsync(attributes, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask RoundAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        foreach (var plugin in plugins)
        {
            if ((plugin.Operations & attributes.Operation) != 0)
            {
                await plugin.AdmitAsync(attributes, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    public async ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        foreach (var plugin in plugins)
        {
            if ((plugin.Operations & attributes.Operation) != 0)
            {
                await plugin.ValidateAsync(attributes, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
