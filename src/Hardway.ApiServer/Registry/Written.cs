using Hardway.Api;

namespace Hardway.ApiServer.Registry;

/// <summary>The outcome of a write, in the storage version. <see cref="Json"/> is what is served.</summary>
/// <param name="Value">The object with its new resourceVersion.</param>
/// <param name="Json">Its encoding.</param>
/// <param name="Created">It was not there before.</param>
/// <param name="Deleted">It has gone with this write.</param>
internal sealed record Written(KubeObject Value, ReadOnlyMemory<byte> Json, bool Created = false, bool Deleted = false);
