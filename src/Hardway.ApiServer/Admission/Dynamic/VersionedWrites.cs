using Hardway.Api;
using Hardway.ApiServer.Custom;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Admission.Dynamic;

/// <summary>
/// Writes in the version that a webhook or policy knows (matchPolicy Equivalent): objects are converted to it and what was changed back. Pipelines
/// work on built-in objects in their storage version, so a write in another version is converted even for those who know the client's.
/// </summary>
internal static class VersionedWrites
{
    public static async ValueTask<AdmissionAttributes> ShowAsync(AdmissionAttributes write, ServedResource? version, CancellationToken cancellationToken)
    {
        if (write.Served is not { } own || version is null || (version == own && own.IsStorageVersion))
        {
            return write;
        }

        return new AdmissionAttributes
        {
            Operation = write.Operation,
            Group = version.Info.Group,
            Version = version.Info.Version,
            Resource = version.Info.Plural,
            Subresource = write.Subresource,
            Kind = version.Info.Kind,
            Served = version,
            AsAsked = write,
            Reinvocation = write.Reinvocation,
            Namespace = write.Namespace,
            Name = write.Name,
            Object = await ConvertAsync(write.Object, own, version, cancellationToken).ConfigureAwait(false),
            OldObject = await ConvertAsync(write.OldObject, own, version, cancellationToken).ConfigureAwait(false),
            Options = write.Options,
            User = write.User,
            DryRun = write.DryRun,
            Context = write.Context,
        };
    }

    /// <summary>Puts the object as it was changed in the version shown into the write itself, with the defaults of what came new.</summary>
    public static async ValueTask TakeBackAsync(AdmissionAttributes write, AdmissionAttributes shown, CancellationToken cancellationToken)
    {
        if (shown.Served is not { } version || shown.Object is not KubeObject changed || changed.StructSchema.Kind != version.Info.Kind)
        {
            // A body that is not stored: it was changed where it is, and has one version.
            return;
        }

        var back = write.Served!.Registry.Custom is { } custom
            ? await custom.FromAsync((CustomObject)changed, cancellationToken).ConfigureAwait(false)
            : VersionConversion.ToStorage(version, changed);
        if (!ReferenceEquals(back, write.Object))
        {
            InPlace.Replace(write.Object!, back);
        }
    }

    private static async ValueTask<ApiStruct?> ConvertAsync(ApiStruct? value, ServedResource own, ServedResource version, CancellationToken cancellationToken) =>
        value is not KubeObject stored || stored.StructSchema.Kind != own.Info.Kind ? value
        : version.Registry.Custom is { } custom ? await custom.FromAsync((CustomObject)stored, cancellationToken).ConfigureAwait(false)
        : VersionConversion.Convert(stored, own.Registry.Storage, version.Info);
}
