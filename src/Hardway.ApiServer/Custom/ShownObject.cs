using Hardway.Storage.Cache;

namespace Hardway.ApiServer.Custom;

/// <summary>A stored object as one version shows it. Immutable.</summary>
internal sealed record ShownObject(CustomVersion For, CachedObject Object);
