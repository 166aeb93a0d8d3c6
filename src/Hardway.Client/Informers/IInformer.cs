using Hardway.Api.Meta.V1;

namespace Hardway.Client;

/// <summary>An informer without its type, for who runs many and waits for all.</summary>
public interface IInformer
{
    ApiResource Resource { get; }
    bool HasSynced { get; }

    /// <summary>Ends when the first list is in the store and its handlers ran.</summary>
    Task WaitForSyncAsync(CancellationToken cancellationToken);

    /// <summary>Lists and watches until the token is cancelled. Never fails: what goes wrong is logged and tried again.</summary>
    Task RunAsync(CancellationToken cancellationToken);

    /// <summary>Handlers that look at nothing but the metadata, of whatever kind the objects are. Who comes late gets what is there as seen.</summary>
    void AddMetadataHandler(Action<ObjectMeta> seen, Action<ObjectMeta> gone);
}
