using Hardway.Api;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Http;

namespace Hardway.ApiServer.Registry;

/// <summary>What every write has.</summary>
internal abstract record WriteRequest(ServedResource Resource, string Namespace)
{
    public required UserInfo User { get; init; }

    /// <summary>Null for the server's own writes.</summary>
    public RequestContext? Context { get; init; }

    public bool DryRun { get; init; }

    /// <summary>The server's own writes.</summary>
    public bool SkipsAdmission { get; init; }

    public string Subresource { get; init; } = "";

    /// <summary>Whose fields the change is, for managedFields; empty when they have been kept already (apply).</summary>
    public string FieldManager { get; init; } = "";

    /// <summary>CreateOptions, UpdateOptions, PatchOptions: for admission.</summary>
    public ApiStruct? Options { get; init; }
}

/// <summary>An object to create: decoded, defaulted, in the storage version. It is changed on its way.</summary>
internal sealed record CreateRequest(ServedResource Resource, string Namespace, KubeObject Value) : WriteRequest(Resource, Namespace)
{
    /// <summary>Runs after all checks, before the store: allocations that a failure must give back.</summary>
    public bool IsApply { get; init; }
}

/// <summary>
/// A change of an object. <see cref="Transform"/> gets the stored object (shared: not to be changed) and gives the new one; it may be called
/// again when somebody was faster.
/// </summary>
internal sealed record UpdateRequest(ServedResource Resource, string Namespace, string Name, Func<KubeObject, ValueTask<KubeObject>> Transform) : WriteRequest(Resource, Namespace)
{
    /// <summary>Makes the object when there is none; null: NotFound.</summary>
    public Func<ValueTask<KubeObject>>? Create { get; init; }

    /// <summary>The object must still be this one.</summary>
    public Preconditions? Preconditions { get; init; }

    /// <summary>A PUT: the new object's empty resourceVersion means "whatever is there".</summary>
    public bool IsReplace { get; init; }

    /// <summary>What admission sees instead of the object (Scale, Binding, Eviction), made from the new and the old object.</summary>
    public Func<KubeObject, ApiStruct>? AdmissionView { get; init; }

    /// <summary>Admission is done by the caller on the subresource's own body.</summary>
    public string AdmissionKind { get; init; } = "";
}

internal sealed record DeleteRequest(ServedResource Resource, string Namespace, string Name, DeleteOptions How) : WriteRequest(Resource, Namespace);
