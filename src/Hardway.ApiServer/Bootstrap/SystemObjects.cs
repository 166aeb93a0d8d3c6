using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Scheduling.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Serving;

namespace Hardway.ApiServer.Bootstrap;

/// <summary>The objects that every cluster has: the system namespaces and the two system priority classes. Several servers may make them at once.</summary>
internal sealed class SystemObjects(ApiServices services)
{
    private static readonly string[] s_namespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];

    public async Task EnsureAsync(CancellationToken cancellationToken)
    {
        foreach (var name in s_namespaces)
        {
            await EnsureAsync(new Namespace { Metadata = { Name = name } }, cancellationToken).ConfigureAwait(false);
        }

        await EnsureAsync(Priority("system-node-critical", 2_000_001_000, "Used for system critical pods that must not be moved from their current node."), cancellationToken).ConfigureAwait(false);
        await EnsureAsync(Priority("system-cluster-critical", 2_000_000_000, "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary."), cancellationToken).ConfigureAwait(false);
    }

    private static PriorityClass Priority(string name, int value, string description) => new() { Metadata = { Name = name }, Value = value, Description = description };

    private async Task EnsureAsync<T>(T wanted, CancellationToken cancellationToken)
        where T : KubeObject, IApiType<T>, new()
    {
        if (services.Reader.Get<T>("", wanted.Metadata.Name) is not null)
        {
            return;
        }

        try
        {
            await services.Writer.CreateAsync(wanted, cancellationToken).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            // Another server was faster.
        }
    }
}
