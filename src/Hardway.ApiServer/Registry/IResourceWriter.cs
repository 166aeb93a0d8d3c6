using Hardway.Api;

namespace Hardway.ApiServer.Registry;

/// <summary>The server's own writes (bootstrap objects, counters, token secrets): past authorization and admission, through rules and storage.</summary>
internal interface IResourceWriter
{
    /// <summary>Throws ApiException AlreadyExists or Invalid.</summary>
    Task<T> CreateAsync<T>(T value, CancellationToken cancellationToken)
        where T : KubeObject, IApiType<T>, new();

    /// <summary>Reads the newest state, changes a copy and writes it if nobody was faster; else again. Null from <paramref name="change"/> leaves it. Throws NotFound.</summary>
    Task<T> UpdateAsync<T>(string @namespace, string name, Func<T, T?> change, CancellationToken cancellationToken)
        where T : KubeObject, IApiType<T>, new();

    /// <summary>The same through the status subresource: all but the status stays as it is.</summary>
    Task<T> UpdateStatusAsync<T>(string @namespace, string name, Func<T, T?> change, CancellationToken cancellationToken)
        where T : KubeObject, IApiType<T>, new();

    Task DeleteAsync<T>(string @namespace, string name, CancellationToken cancellationToken)
        where T : KubeObject, IApiType<T>, new();
}
