using Hardway.Api;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;

namespace Hardway.ApiServer.Registry;

/// <summary><see cref="IResourceWriter"/> through the same pipeline that clients' writes go through, without admission.</summary>
internal sealed class ResourceWriter(ResourceScheme scheme, CreatePipeline create, UpdatePipeline update, DeletePipeline delete) : IResourceWriter
{
    private const string Manager = "kube-apiserver";

    public async Task<T> CreateAsync<T>(T value, CancellationToken cancellationToken)
        where T : KubeObject, IApiType<T>, new()
    {
        var resource = Served(T.TypeSchema);
        var copy = value.Clone();
        SchemaDefaults.Apply(copy);
        resource.Rules.Default(copy);
        var written = await create.RunAsync(new CreateRequest(resource, value.Metadata.Namespace, copy) { User = UserInfo.ApiServer, FieldManager = Manager, SkipsAdmission = true }, cancellationToken).ConfigureAwait(false);
        return (T)written.Value;
    }

    public Task<T> UpdateAsync<T>(string @namespace, string name, Func<T, T?> change, CancellationToken cancellationToken)
        where T : KubeObject, IApiType<T>, new() => UpdateAsync(@namespace, name, change, "", cancellationToken);

    public Task<T> UpdateStatusAsync<T>(string @namespace, string name, Func<T, T?> change, CancellationToken cancellationToken)
        where T : KubeObject, IApiType<T>, new() => UpdateAsync(@namespace, name, change, "status", cancellationToken);

    private async Task<T> UpdateAsync<T>(string @namespace, string name, Func<T, T?> change, string subresource, CancellationToken cancellationToken)
        where T : KubeObject, IApiType<T>, new()
    {
        var request = new UpdateRequest(Served(T.TypeSchema), @namespace, name, current => ValueTask.FromResult<KubeObject>(change((T)current.Clone()) ?? (T)current))
        {
            User = UserInfo.ApiServer,
            FieldManager = Manager,
            SkipsAdmission = true,
            Subresource = subresource,
        };
        return (T)(await update.RunAsync(request, cancellationToken).ConfigureAwait(false)).Value;
    }

    public async Task DeleteAsync<T>(string @namespace, string name, CancellationToken cancellationToken)
        where T : KubeObject, IApiType<T>, new()
    {
        try
        {
            await delete.RunAsync(new DeleteRequest(Served(T.TypeSchema), @namespace, name, new Hardway.Api.Meta.V1.DeleteOptions()) { User = UserInfo.ApiServer, SkipsAdmission = true }, cancellationToken).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // Gone already, which is what was wanted.
        }
    }

    private ServedResource Served(TypeSchema type)
    {
        var info = scheme.Of(type).Storage;
        return scheme.Find(info.Group, info.Version, info.Plural)!;
    }
}
