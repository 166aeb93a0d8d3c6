using Hardway.Api.Core.V1;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Admission.Plugins.Quota;

/// <summary>Writes quotas' statuses as the server itself.</summary>
internal sealed class QuotaStore(IResourceWriter writer) : IQuotaStore
{
    public Task UpdateStatusAsync(string @namespace, string name, Func<ResourceQuota, ResourceQuota?> change, CancellationToken cancellationToken) =>
        writer.UpdateStatusAsync(@namespace, name, change, cancellationToken);
}
