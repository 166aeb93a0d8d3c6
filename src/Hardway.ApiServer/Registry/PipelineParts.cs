using Hardway.Api;
using Hardway.ApiServer.Admission;
using Hardway.ApiServer.Allocation;

namespace Hardway.ApiServer.Registry;

/// <summary>What the write pipelines stand on. Immutable.</summary>
internal sealed class PipelineParts(ObjectStore objects, IResourceReader reader, AdmissionChain admission, FieldOwnership ownership, AllocatorSet allocators, TimeProvider time)
{
    public ObjectStore Objects { get; } = objects;

    public IResourceReader Reader { get; } = reader;

    public AdmissionChain Admission { get; } = admission;

    public FieldOwnership Ownership { get; } = ownership;

    public AllocatorSet Allocators { get; } = allocators;

    public TimeProvider Time { get; } = time;

    public RuleContext RuleContext(WriteRequest request) => new(request.Context, request.User, Reader, Time.GetUtcNow(), request.DryRun)
    {
        Subresource = request.Subresource,
        RequestVersion = request.Resource.Info.Version,
    };

    public AdmissionAttributes Attributes(WriteRequest request, AdmissionOperation operation, string name, ApiStruct? value, ApiStruct? old) => new()
    {
        Operation = operation,
        Group = request.Resource.Info.Group,
        Version = request.Resource.Info.Version,
        Resource = request.Resource.Info.Plural,
        Subresource = request.Subresource,
        Kind = request.Resource.Info.Kind,
        Served = request.Resource,
        Namespace = request.Namespace,
        Name = name,
        Object = value,
        OldObject = old,
        Options = request.Options,
        User = request.User,
        DryRun = request.DryRun,
        Context = request.Context,
    };

    /// <summary>Admission may have put into a custom object what its schema does not know, or left out what has a default.</summary>
    public static void Reshape(ResourceRegistry registry, KubeObject value)
    {
        if (registry.IsCustom)
        {
            registry.Rules.Default(value);
        }
    }

    public ValueTask AdmitAsync(AdmissionAttributes attributes, WriteRequest request, CancellationToken cancellationToken) =>
        request.SkipsAdmission ? ValueTask.CompletedTask : Admission.AdmitAsync(attributes, cancellationToken);
}
