namespace Hardway.Api.Patching;

/// <summary>JSON merge patch (RFC 7396) on trees.</summary>
public static class MergePatch
{
    /// <summary>Returns the patched tree; the target may be changed in place.</summary>
    public static object? Apply(object? target, object? patch)
    {
        if (patch is not Dictionary<string, object?> changes)
        {
            return patch;
        }

        var result = target as Dictionary<string, object?> ?? new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var (key, value) in changes)
        {
            if (value is null)
            {
                result.Remove(key);
            }
            else
            {
                result[key] = Apply(result.GetValueOrDefault(key), value);
            }
        }

        return result;
    }
}
