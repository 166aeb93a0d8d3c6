using Hardway.Api;
using Hardway.ApiServer.Http;

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
