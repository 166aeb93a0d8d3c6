using Hardway.Api;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Tests;

/// <summary>The cache as a dictionary: what is put in is there at once.</summary>
internal sealed class MemoryReader : IResourceReader
{
    private readonly Dictionary<(Type, string, string), KubeObject> _objects = [];
    private long _generation;

    public MemoryReader With(params KubeObject[] objects)
    {
        foreach (var value in objects)
        {
            _objects[(value.GetType(), value.Metadata.Namespace, value.Metadata.Name)] = value;
            _generation++;
        }

        return this;
    }

    public void Remove(KubeObject value)
    {
        _objects.Remove((value.GetType(), value.Metadata.Namespace, value.Metadata.Name));
        _generation++;
    }

    public T? Get<T>(string @namespace, string name)
        where T : KubeObject, IApiType<T>, new() => _objects.GetValueOrDefault((typeof(T), @namespace, name)) as T;

    public IReadOnlyList<T> List<T>(string @namespace = "")
        where T : KubeObject, IApiType<T>, new() => [.. _objects.Values.OfType<T>().Where(o => @namespace.Length == 0 || o.Metadata.Namespace == @namespace)];

    public ValueTask<T?> GetFreshAsync<T>(string @namespace, string name, CancellationToken cancellationToken)
        where T : KubeObject, IApiType<T>, new() => ValueTask.FromResult(Get<T>(@namespace, name));

    public ServedObjects? OfKind(string apiVersion, string kind, string @namespace) => ApiCatalog.Resources.FirstOrDefault(r => r.Kind == kind && r.ApiVersion == apiVersion) is not { } info ? null
        : new ServedObjects(info.Namespaced, [.. _objects.Values.Where(o => o.StructSchema == info.Type && (!info.Namespaced || @namespace.Length == 0 || o.Metadata.Namespace == @namespace))]);

    public long Generation<T>()
        where T : KubeObject, IApiType<T>, new() => _generation;
}
