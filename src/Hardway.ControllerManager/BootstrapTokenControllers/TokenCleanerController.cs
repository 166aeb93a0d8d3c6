using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>Removes the Secrets of bootstrap tokens when they expire. Keys are Secrets.</summary>
internal sealed class TokenCleanerController : ClusterController
{
    private readonly Informer<Secret> _secrets;

    public TokenCleanerController(ControllerContext context) : base("token-cleaner-controller", "token-cleaner", context)
    {
        Workers = 1;
        _secrets = Watch<Secret>();
        _secrets.AddHandler(Changed, (_, s) => Changed(s));
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_secrets.Store.Get(key) is not { } secret || !BootstrapToken.Is(secret) || BootstrapToken.Expiration(secret) is not { } end) return;
        var left = end - Time.GetUtcNow();
        if (left > TimeSpan.Zero)
        {
            Queue.AddAfter(key, left);
            return;
        }
        await Client.DeleteAsync<Secret>(secret.Metadata.Namespace, secret.Metadata.Name, new DeleteOptions { Preconditions = new Preconditions { Uid = secret.Metadata.Uid, ResourceVersion = secret.Metadata.ResourceVersion } }, cancellationToken);
    }

    private void Changed(Secret secret)
    {
        if (BootstrapToken.Is(secret)) Queue.Add(KubeKey.Of(secret));
    }
}
