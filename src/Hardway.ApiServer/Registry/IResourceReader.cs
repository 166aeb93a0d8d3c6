using Hardway.Api;

namespace Hardway.ApiServer.Registry;

/// <summary>
/// Objects as this server's cache has them (a few milliseconds behind the store), decoded once and shared: never change them.
/// By the kind's storage version. Safe for all threads.
/// </summary>
internal interface IResourceReader
{
    T? Get<T>(string @namespace, string name)
        where T : KubeObject, IApiType<T>, new();

    /// <param name="namespace">Empty for all namespaces and for kinds without.</param>
    IReadOnlyList<T> List<T>(string @namespace = "")
        where T : KubeObject, IApiType<T>, new();

    /// <summary>From the store itself, for decisions that must not be late (a new namespace, a deleted service account).</summary>
    ValueTask<T?> GetFreshAsync<T>(string @namespace, string name, CancellationToken cancellationToken)
        where T : KubeObject, IApiType<T>, new();

    /// <summary>The objects of any kind that is served, custom ones too; null where nobody serves it.</summary>
    /// <param name="apiVersion">VERSION or GROUP/VERSION.</param>
    /// <param name="kind">The kind.</param>
    /// <param name="namespace">Empty for all namespaces and for kinds without.</param>
    ServedObjects? OfKind(string apiVersion, string kind, string @namespace);

    /// <summary>A number that grows with every change of the kind: what is derived from the list can be kept while it stays.</summary>
    long Generation<T>()
        where T : KubeObject, IApiType<T>, new();
}

/// <summary>What <see cref="IResourceReader.OfKind"/> found.</summary>
internal sealed record ServedObjects(bool IsNamespaced, IEnumerable<KubeObject> Objects);
