namespace Hardway.ApiServer.Http;

/// <summary>What a request is about, read from its method, path and query alone. Immutable.</summary>
internal sealed record RequestInfo
{
    /// <summary>A request for an object or a collection of the API; else <see cref="Path"/> says all.</summary>
    public bool IsResource { get; init; }

    public required string Path { get; init; }

    /// <summary>get, list, watch, create, update, patch, delete, deletecollection, proxy; of other paths the method in small letters.</summary>
    public required string Verb { get; init; }

    /// <summary>api or apis.</summary>
    public string Prefix { get; init; } = "";

    public string Group { get; init; } = "";

    public string Version { get; init; } = "";

    public string Namespace { get; init; } = "";

    public string Resource { get; init; } = "";

    public string Subresource { get; init; } = "";

    public string Name { get; init; } = "";

    /// <summary>Segments from the resource on: pods, web, log.</summary>
    public IReadOnlyList<string> Parts { get; init; } = [];

    /// <summary>What follows the subresource (the path behind a proxy), with its leading slash; empty without one.</summary>
    public string Rest { get; init; } = "";

    public string LabelSelector { get; init; } = "";

    public string FieldSelector { get; init; } = "";

    public bool IsReadOnly => Verb is "get" or "list" or "watch" or "head" or "options";
}
