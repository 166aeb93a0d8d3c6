using System.Globalization;
using Hardway.Api;
using Hardway.Api.Core.V1;

namespace Hardway.ApiServer.Admission.Plugins.Limits;

/// <summary>Measures Pods and claims against one entry of a LimitRange.</summary>
internal static class LimitCheck
{
    public static void Pod(LimitRangeItem item, Pod pod, List<string> errors)
    {
        switch (item.Type)
        {
            case "Container":
                foreach (var container in (pod.Spec.Containers ?? []).Concat(pod.Spec.InitContainers ?? []))
                {
                    Check(item, container.Resources.Requests ?? [], container.Resources.Limits ?? [], errors);
                }

                break;
            case "Pod":
                Check(item, PodResources.Total(pod.Spec, c => c.Requests, pod.Spec.Resources?.Requests), PodResources.Total(pod.Spec, c => c.Limits, pod.Spec.Resources?.Limits), errors);
                break;
        }
    }

    public static void Claim(LimitRangeItem item, PersistentVolumeClaim claim, List<string> errors)
    {
        var requests = claim.Spec.Resources.Requests ?? [];
        foreach (var (name, value) in Sorted(item.Min))
        {
            Least(item.Type, name, value, requests, [], errors);
        }

        foreach (var (name, value) in Sorted(item.Max))
        {
            if (!requests.TryGetValue(name, out var request))
            {
                errors.Add($"maximum {name} usage per {item.Type} is {value}.  No request is specified");
            }
            else if (request.CompareTo(value) > 0)
            {
                errors.Add($"maximum {name} usage per {item.Type} is {value}, but request is {request}");
            }
        }
    }

    private static void Check(LimitRangeItem item, Dictionary<string, Quantity> requests, Dictionary<string, Quantity> limits, List<string> errors)
    {
        foreach (var (name, value) in Sorted(item.Min))
        {
            Least(item.Type, name, value, requests, limits, errors);
        }

        foreach (var (name, value) in Sorted(item.Max))
        {
            Most(item.Type, name, value, requests, limits, errors);
        }

        foreach (var (name, value) in Sorted(item.MaxLimitRequestRatio))
        {
            Ratio(item.Type, name, value, requests, limits, errors);
        }
    }

    private static void Least(string type, string name, Quantity value, Dictionary<string, Quantity> requests, Dictionary<string, Quantity> limits, List<string> errors)
    {
        if (!requests.TryGetValue(name, out var request))
        {
            errors.Add($"minimum {name} usage per {type} is {value}.  No request is specified");
        }
        else if (request.CompareTo(value) < 0)
        {
            errors.Add($"minimum {name} usage per {type} is {value}, but request is {request}");
        }
        else if (limits.TryGetValue(name, out var limit) && limit.CompareTo(value) < 0)
        {
            errors.Add($"minimum {name} usage per {type} is {value}, but limit is {limit}");
        }
    }

    private static void Most(string type, string name, Quantity value, Dictionary<string, Quantity> requests, Dictionary<string, Quantity> limits, List<string> errors)
    {
        if (!limits.TryGetValue(name, out var limit))
        {
            errors.Add($"maximum {name} usage per {type} is {value}.  No limit is specified");
        }
        else if (limit.CompareTo(value) > 0)
        {
            errors.Add($"maximum {name} usage per {type} is {value}, but limit is {limit}");
        }
        else if (requests.TryGetValue(name, out var request) && request.CompareTo(value) > 0)
        {
            errors.Add($"maximum {name} usage per {type} is {value}, but request is {request}");
        }
    }

    private static void Ratio(string type, string name, Quantity value, Dictionary<string, Quantity> requests, Dictionary<string, Quantity> limits, List<string> errors)
    {
        if (!requests.TryGetValue(name, out var request) || request.MilliValue == 0)
        {
            errors.Add($"{name} max limit to request ratio per {type} is {value}, but no request is specified or request is 0");
        }
        else if (!limits.TryGetValue(name, out var limit) || limit.MilliValue == 0)
        {
            errors.Add($"{name} max limit to request ratio per {type} is {value}, but no limit is specified or limit is 0");
        }
        else if ((double)limit.MilliValue / request.MilliValue is var ratio && ratio > value.MilliValue / 1000.0)
        {
            errors.Add($"{name} max limit to request ratio per {type} is {value}, but provided ratio is {ratio.ToString("F6", CultureInfo.InvariantCulture)}");
        }
    }

    private static IEnumerable<KeyValuePair<string, Quantity>> Sorted(Dictionary<string, Quantity>? values) => (values ?? []).OrderBy(v => v.Key, StringComparer.Ordinal);
}
