namespace Hardway.ApiServer.Admission;

/// <summary>The plugins in upstream's order: all admit, then all validate.</summary>
internal sealed class AdmissionChain(params IReadOnlyList<AdmissionPlugin> plugins)
{
    public IReadOnlyList<AdmissionPlugin> Plugins => plugins;

    public async ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
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
