using Hardway.Api;

namespace Hardway.Client;

/// <summary>Which resource a request is about; from the catalogue for built-in kinds, from discovery for all others.</summary>
public sealed record ApiResource(string Group, string Version, string Plural, string Kind, bool Namespaced)
{
    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    public static ApiResource Of<T>() where T : ApiStruct, IApiType<T>, new() => Cache<T>.Value;

    public static ApiResource From(ResourceInfo info) => new(info.Group, info.Version, info.Plural, info.Kind, info.Namespaced);

    /// <summary>The path of a collection (no name), an object or a subresource. Names are escaped: they come from the API.</summary>
    public string Path(string? ns, string? name = null, string? subresource = null)
    {
        var path = Group.Length == 0 ? $"/api/{Version}" : $"/apis/{Group}/{Version}";
        if (Namespaced && !string.IsNullOrEmpty(ns)) path = $"{path}/namespaces/{Uri.EscapeDataString(ns)}";
        path = $"{path}/{Plural}";
        if (name is not null) path = $"{path}/{Uri.EscapeDataString(name)}";
        return subresource is null ? path : $"{path}/{subresource}";
    }

    private static class Cache<T> where T : ApiStruct, IApiType<T>, new()
    {
        public static readonly ApiResource Value = T.TypeSchema.Resource is { } info ? From(info) : throw new InvalidOperationException($"{T.TypeSchema.FullName} is not a served resource");
    }
}
