using Hardway.Api.Resource.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.Resource;

/// <summary>Checks of what a claim asks for: requests, constraints between them, parameters. Shared by claims and their templates.</summary>
internal static class DeviceClaimValidation
{
    private const int MostRequests = 32;
    private const int MostConstraints = 32;
    private const int MostAlternatives = 8;

    /// <summary>What requests get that do not say it.</summary>
    public static void Default(ResourceClaimSpec spec)
    {
        foreach (var request in spec.Devices.Requests ?? [])
        {
            if (request.Exactly is { } exactly)
            {
                (exactly.AllocationMode, exactly.Count) = Default(exactly.AllocationMode, exactly.Count);
            }

            foreach (var alternative in request.FirstAvailable ?? [])
            {
                (alternative.AllocationMode, alternative.Count) = Default(alternative.AllocationMode, alternative.Count);
            }
        }
    }

    public static void Validate(ResourceClaimSpec spec, FieldPath path, ErrorList errors)
    {
        var devices = spec.Devices;
        path = path.Child("devices");
        TooMany(errors, path.Child("requests"), devices.Requests?.Count, MostRequests);
        TooMany(errors, path.Child("constraints"), devices.Constraints?.Count, MostConstraints);
        TooMany(errors, path.Child("config"), devices.Config?.Count, DeviceConfigurations.Most);
        var names = Requests(devices.Requests, path.Child("requests"), errors);
        for (var i = 0; i < devices.Constraints?.Count; i++)
        {
            Constraint(devices.Constraints[i], names, path.Child("constraints").Index(i), errors);
        }

        for (var i = 0; i < devices.Config?.Count; i++)
        {
            var at = path.Child("config").Index(i);
            References(devices.Config[i].Requests, names, at.Child("requests"), errors);
            DeviceConfigurations.Check(devices.Config[i].Opaque, at.Child("opaque"), errors);
        }
    }

    /// <summary>The names that the rest of a claim can refer to: a request, or one of its alternatives as REQUEST/NAME.</summary>
    public static HashSet<string> NamesOf(ResourceClaimSpec spec)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var request in spec.Devices.Requests ?? [])
        {
            names.Add(request.Name);
            names.UnionWith((request.FirstAvailable ?? []).Select(a => request.Name + "/" + a.Name));
        }

        return names;
    }

    private static (string Mode, long Count) Default(string mode, long count) =>
        (mode.Length == 0 ? "ExactCount" : mode, count == 0 && (mode is "" or "ExactCount") ? 1 : count);

    private static HashSet<string> Requests(List<DeviceRequest>? requests, FieldPath path, ErrorList errors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < requests?.Count; i++)
        {
            var (request, at) = (requests[i], path.Index(i));
            Name(request.Name, at.Child("name"), errors);
            if (!names.Add(request.Name))
            {
                errors.Duplicate(at, request.Name);
            }

            switch (request.Exactly, request.FirstAvailable)
            {
                case (not null, { Count: > 0 }):
                    errors.Invalid(at, request.Name, "only one of exactly and firstAvailable may be given");
                    break;
                case ({ } exactly, _):
                    Exactly(exactly, at.Child("exactly"), errors);
                    break;
                case (_, { Count: > 0 } alternatives):
                    Alternatives(request.Name, alternatives, names, at.Child("firstAvailable"), errors);
                    break;
                default:
                    errors.Required(at, "one of exactly and firstAvailable is needed");
                    break;
            }
        }

        return names;
    }

    private static void Exactly(ExactDeviceRequest request, FieldPath path, ErrorList errors)
    {
        ClassName(request.DeviceClassName, path.Child("deviceClassName"), errors);
        DeviceSelectors.Check(request.Selectors, path.Child("selectors"), errors);
        Mode(request.AllocationMode, request.Count, path, errors);
        DeviceTolerations.Check(request.Tolerations, path.Child("tolerations"), errors);
    }

    private static void Alternatives(string request, List<DeviceSubRequest> alternatives, HashSet<string> names, FieldPath path, ErrorList errors)
    {
        TooMany(errors, path, alternatives.Count, MostAlternatives);
        for (var i = 0; i < alternatives.Count; i++)
        {
            var (one, at) = (alternatives[i], path.Index(i));
            Name(one.Name, at.Child("name"), errors);
            if (!names.Add(request + "/" + one.Name))
            {
                errors.Duplicate(at, one.Name);
            }

            ClassName(one.DeviceClassName, at.Child("deviceClassName"), errors);
            DeviceSelectors.Check(one.Selectors, at.Child("selectors"), errors);
            Mode(one.AllocationMode, one.Count, at, errors);
            DeviceTolerations.Check(one.Tolerations, at.Child("tolerations"), errors);
        }
    }

    private static void Mode(string mode, long count, FieldPath path, ErrorList errors)
    {
        switch (mode)
        {
            case "All" when count != 0:
                errors.Invalid(path.Child("count"), count, "may not be given when allocationMode is All");
                break;
            case "ExactCount" when count <= 0:
                errors.Invalid(path.Child("count"), count, "must be greater than zero");
                break;
            case "All" or "ExactCount":
                break;
            default:
                errors.NotSupported(path.Child("allocationMode"), mode, "All", "ExactCount");
                break;
        }
    }

    private static void Constraint(DeviceConstraint constraint, HashSet<string> names, FieldPath path, ErrorList errors)
    {
        References(constraint.Requests, names, path.Child("requests"), errors);
        switch (constraint.MatchAttribute, constraint.DistinctAttribute)
        {
            case (null, null):
                errors.Required(path, "one of matchAttribute and distinctAttribute is needed");
                break;
            case (not null, not null):
                errors.Invalid(path, constraint.MatchAttribute, "only one of matchAttribute and distinctAttribute may be given");
                break;
            case ({ } match, _):
                DeviceAttributes.CheckFullName(match, path.Child("matchAttribute"), errors);
                break;
            case (_, { } distinct):
                DeviceAttributes.CheckFullName(distinct, path.Child("distinctAttribute"), errors);
                break;
        }
    }

    private static void References(List<string>? requests, HashSet<string> names, FieldPath path, ErrorList errors)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < requests?.Count; i++)
        {
            if (!names.Contains(requests[i]))
            {
                errors.Invalid(path.Index(i), requests[i], "is neither a request of this claim nor REQUEST/ALTERNATIVE");
            }
            else if (!seen.Add(requests[i]))
            {
                errors.Duplicate(path.Index(i), requests[i]);
            }
        }
    }

    private static void Name(string name, FieldPath path, ErrorList errors)
    {
        if (name.Length == 0)
        {
            errors.Required(path);
        }
        else
        {
            Names.CheckDnsLabel(errors, path, name);
        }
    }

    private static void ClassName(string name, FieldPath path, ErrorList errors)
    {
        if (name.Length == 0)
        {
            errors.Required(path);
        }
        else
        {
            Names.CheckDnsSubdomain(errors, path, name);
        }
    }

    private static void TooMany(ErrorList errors, FieldPath path, int? count, int most)
    {
        if (count > most)
        {
            errors.TooMany(path, count.Value, most);
        }
    }
}
