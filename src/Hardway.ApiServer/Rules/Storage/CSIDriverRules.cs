using Hardway.Api.Storage.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Storage;

internal sealed class CSIDriverRules : KindRules<CSIDriver>
{
    private const long ShortestTokenLife = 600;
    private const long ShortestUpdatePeriod = 10;

    public override bool AllowUnconditionalUpdate => false;

    public override bool ReturnsDeletedObject => true;

    public override IReadOnlyList<TableColumn> Columns =>
    [
        new("AttachRequired", "boolean"), new("PodInfoOnMount", "boolean"), new("StorageCapacity", "boolean"), new("TokenRequests"), new("RequiresRepublish", "boolean"), new("Modes"), new("Age"),
    ];

    protected override void Default(CSIDriver value)
    {
        var spec = value.Spec;
        spec.AttachRequired ??= true;
        spec.PodInfoOnMount ??= false;
        spec.StorageCapacity ??= false;
        spec.FsGroupPolicy ??= "ReadWriteOnceWithFSType";
        spec.RequiresRepublish ??= false;
        spec.SeLinuxMount ??= false;
        if (spec.VolumeLifecycleModes is not { Count: > 0 })
        {
            spec.VolumeLifecycleModes = ["Persistent"];
        }
    }

    protected override void Validate(RuleContext context, CSIDriver value, ErrorList errors)
    {
        var spec = value.Spec;
        if (value.Metadata.Name.Length > 63)
        {
            errors.TooLong(FieldPath.Metadata.Child("name"), 63, "characters");
        }

        if (spec.FsGroupPolicy is not ("ReadWriteOnceWithFSType" or "File" or "None"))
        {
            errors.NotSupported(FieldPath.Spec.Child("fsGroupPolicy"), spec.FsGroupPolicy, "ReadWriteOnceWithFSType", "File", "None");
        }

        foreach (var mode in spec.VolumeLifecycleModes ?? [])
        {
            if (mode is not ("Persistent" or "Ephemeral"))
            {
                errors.NotSupported(FieldPath.Spec.Child("volumeLifecycleModes"), mode, "Persistent", "Ephemeral");
            }
        }

        if (spec.NodeAllocatableUpdatePeriodSeconds < ShortestUpdatePeriod)
        {
            errors.Invalid(FieldPath.Spec.Child("nodeAllocatableUpdatePeriodSeconds"), spec.NodeAllocatableUpdatePeriodSeconds, "must be at least 10 seconds");
        }

        CheckTokens(spec.TokenRequests, errors);
    }

    protected override void ValidateUpdate(RuleContext context, CSIDriver value, CSIDriver old, ErrorList errors)
    {
        Validate(context, value, errors);
        if (value.Spec.AttachRequired != old.Spec.AttachRequired)
        {
            errors.Invalid(FieldPath.Spec.Child("attachedRequired"), value.Spec.AttachRequired, "field is immutable");
        }

        if (!(value.Spec.VolumeLifecycleModes ?? []).SequenceEqual(old.Spec.VolumeLifecycleModes ?? []))
        {
            errors.Invalid(FieldPath.Spec.Child("volumeLifecycleModes"), string.Join(',', value.Spec.VolumeLifecycleModes ?? []), "field is immutable");
        }
    }

    protected override void Warn(RuleContext context, CSIDriver value, CSIDriver? old)
    {
        if (old is null && value.Spec is { TokenRequests.Count: > 0, ServiceAccountTokenInSecrets: null })
        {
            context.Warn("spec.serviceAccountTokenInSecrets is not set: tokens travel among the volume's attributes, which drivers may log; set it to true if the driver can read them from secrets");
        }
    }

    protected override IReadOnlyList<object?> Cells(CSIDriver value, DateTimeOffset now)
    {
        var spec = value.Spec;
        var audiences = (spec.TokenRequests ?? []).Select(t => t.Audience.Length == 0 ? "<unset>" : t.Audience).ToList();
        return
        [
            value.Metadata.Name, spec.AttachRequired ?? true, spec.PodInfoOnMount ?? false, spec.StorageCapacity ?? false,
            audiences.Count == 0 ? "<unset>" : string.Join(',', audiences), spec.RequiresRepublish ?? false, string.Join(',', spec.VolumeLifecycleModes ?? []), Ages.Since(value.Metadata.CreationTimestamp, now),
        ];
    }

    private static void CheckTokens(List<TokenRequest>? requests, ErrorList errors)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < requests?.Count; i++)
        {
            var (request, path) = (requests[i], FieldPath.Spec.Child("tokenRequests").Index(i));
            if (!seen.Add(request.Audience))
            {
                errors.Duplicate(path.Child("audience"), request.Audience);
            }
            else if (request.ExpirationSeconds is < ShortestTokenLife or > 1L << 32)
            {
                errors.Invalid(path.Child("expirationSeconds"), request.ExpirationSeconds, "must be between 600 and 2^32 seconds");
            }
        }
    }
}
