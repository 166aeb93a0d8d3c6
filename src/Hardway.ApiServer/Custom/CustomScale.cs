using Hardway.Api.ApiExtensions.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Custom;

/// <summary>Where a custom resource has what a Scale shows. Immutable.</summary>
internal sealed class CustomScale(CustomResourceSubresourceScale paths)
{
    private readonly List<string> _spec = RulePath.Parse(paths.SpecReplicasPath) ?? [];
    private readonly List<string> _status = RulePath.Parse(paths.StatusReplicasPath) ?? [];
    private readonly List<string>? _selector = paths.LabelSelectorPath is { Length: > 0 } text ? RulePath.Parse(text) : null;

    /// <summary>Where spec.replicas is.</summary>
    public string SpecPath => paths.SpecReplicasPath;

    public long? SpecReplicas(Dictionary<string, object?> rest) => Find(rest, _spec) as long?;

    public long StatusReplicas(Dictionary<string, object?> rest) => Find(rest, _status) as long? ?? 0;

    public string Selector(Dictionary<string, object?> rest) => _selector is null ? "" : Find(rest, _selector) as string ?? "";

    public void SetReplicas(Dictionary<string, object?> rest, long replicas)
    {
        var now = rest;
        foreach (var name in _spec[..^1])
        {
            if (now.GetValueOrDefault(name) is not Dictionary<string, object?> next)
            {
                now[name] = next = new Dictionary<string, object?>(StringComparer.Ordinal);
            }

            now = next;
        }

        now[_spec[^1]] = replicas;
    }

    /// <summary>A Scale must be possible at any time: replicas that are there are small whole numbers.</summary>
    public void Validate(Dictionary<string, object?> rest, ErrorList errors)
    {
        Replicas(rest, _spec, paths.SpecReplicasPath, errors);
        Replicas(rest, _status, paths.StatusReplicasPath, errors);
        if (_selector is not null && paths.LabelSelectorPath is { } path)
        {
            Text(rest, path, errors);
        }
    }

    private void Text(Dictionary<string, object?> rest, string path, ErrorList errors)
    {
        if (!TryFind(rest, _selector!, out var selector) || selector is not (null or string))
        {
            errors.Invalid(FieldPath.Of(path), "", "is no text");
            return;
        }

        try
        {
            Hardway.Api.Selector.Parse(selector as string ?? "");
        }
        catch (FormatException e)
        {
            errors.Invalid(FieldPath.Of(path), selector, e.Message);
        }
    }

    private static void Replicas(Dictionary<string, object?> rest, List<string> names, string path, ErrorList errors)
    {
        if (!TryFind(rest, names, out var found) || found is not (null or long))
        {
            errors.Invalid(FieldPath.Of(path), 0, "there is no whole number at " + path);
        }
        else if (found is < 0L)
        {
            errors.Invalid(FieldPath.Of(path), found, "should be a non-negative integer");
        }
        else if (found is > (long)int.MaxValue)
        {
            errors.Invalid(FieldPath.Of(path), found, $"should be less than or equal to {int.MaxValue}");
        }
    }

    private static object? Find(Dictionary<string, object?> rest, List<string> names) => TryFind(rest, names, out var found) ? found : null;

    /// <summary>False where something on the way is no object; null where the way ends early.</summary>
    private static bool TryFind(Dictionary<string, object?> rest, List<string> names, out object? found)
    {
        found = rest;
        foreach (var name in names)
        {
            if (found is null)
            {
                return true;
            }

            if (found is not Dictionary<string, object?> map)
            {
                return false;
            }

            found = map.GetValueOrDefault(name);
        }

        return true;
    }
}
