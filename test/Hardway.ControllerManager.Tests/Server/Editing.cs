using Hardway.Api;
using Hardway.Client;

namespace Hardway.ControllerManager.Tests.Server;

/// <summary>Changes as a user's tool makes them: on what is there, again after a conflict.</summary>
internal static class Editing
{
    public static async Task<T> EditAsync<T>(this Cluster cluster, string? ns, string name, Action<T> change, string? subresource = null) where T : KubeObject, IApiType<T>, new()
    {
        while (true)
        {
            var now = await cluster.Client.GetAsync<T>(ns, name, cluster.Stop);
            change(now);
            try
            {
                return await cluster.Client.PutAsync(now, subresource, cluster.Stop);
            }
            catch (ApiException e) when (e.IsConflict)
            {
            }
        }
    }
}
