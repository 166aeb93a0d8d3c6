using Hardway.Api;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Admission;

/// <summary>One write as admission sees it. <see cref="Object"/> may be changed in place while admitting. One request's flow only.</summary>
internal sealed class AdmissionAttributes
{
    public required AdmissionOperation Operation { get; init; }

    public required string Group { get; init; }

    public required string Version { get; init; }

    public required string Resource { get; init; }

    public string Subresource { get; init; } = "";

    public required string Kind { get; init; }

    /// <summary>The resource as it is served in this version; null for what is not stored (reviews, bindings, connections) and for the server's own writes.</summary>
    public ServedResource? Served { get; init; }

    /// <summary>The write as the client sent it, where this shows it in another version.</summary>
    public AdmissionAttributes? AsAsked { get; init; }

    public Reinvocation Reinvocation { get; init; } = new();

    public required string Namespace { get; init; }

    /// <summary>Empty when the name is to be made from generateName.</summary>
    public required string Name { get; init; }

    /// <summary>New state; of a delete null; of a connect its options; of a subresource its body (Scale, Binding, Eviction, TokenRequest).</summary>
    public ApiStruct? Object { get; set; }

    public ApiStruct? OldObject { get; init; }

    /// <summary>CreateOptions, UpdateOptions, PatchOptions or DeleteOptions.</summary>
    public ApiStruct? Options { get; init; }

    public required UserInfo User { get; init; }

    public bool DryRun { get; init; }

    /// <summary>The request itself, for warnings and audit annotations; null for the server's own writes.</summary>
    public RequestContext? Context { get; init; }

    /// <summary>What the objects are: of a subresource with a body of its own (Scale, Eviction) that one's.</summary>
    public (string Group, string Version, string Kind) GroupVersionKind =>
        Subresource.Length > 0 && (Object ?? OldObject)?.StructSchema is { Kind.Length: > 0 } type && type.Kind != Served?.Info.Kind ? (type.Group, type.Version, type.Kind) : (Group, Version, Kind);

    public string Path => Subresource.Length == 0 ? Resource : Resource + "/" + Subresource;

    public void Warn(string text) => Context?.Warn(text);

    public void Annotate(string key, string value)
    {
        if (Context is not null)
        {
            Context.AuditAnnotations[key] = value;
        }
    }
}
