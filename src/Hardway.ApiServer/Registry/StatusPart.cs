using Hardway.Api;

namespace Hardway.ApiServer.Registry;

/// <summary>The part of an object that the status subresource writes, by the schema.</summary>
internal static class StatusPart
{
    public static void Clear(KubeObject value)
    {
        value.Rest?.Remove("status");
        if (value.StructSchema.Field("status") is { } field)
        {
            value.Set(field.Ordinal, null);
        }
    }

    /// <summary>An update of the object itself: the status stays as it was.</summary>
    public static void Keep(KubeObject value, KubeObject old) => Copy(value, old, "status");

    /// <summary>An update through /status: all but status and metadata stays as it was.</summary>
    public static void KeepAllElse(KubeObject value, KubeObject old)
    {
        if (value.Rest is { } rest)
        {
            KeepAllElse(value, rest, old);
            return;
        }

        foreach (var field in value.StructSchema.Fields)
        {
            if (field.Name is not ("status" or "metadata" or "kind" or "apiVersion"))
            {
                value.Set(field.Ordinal, ApiValues.CloneValue(old.Get(field.Ordinal), field.Shape));
            }
        }
    }

    /// <summary>Whether something has changed that counts for the generation: of an open type all but metadata, and a status of its own.</summary>
    public static bool Differs(KubeObject value, KubeObject old, KindRules rules)
    {
        if (value.Rest is { } rest)
        {
            return !ApiValues.TreesEqual(Counted(rest, rules), Counted(old.Rest!, rules));
        }

        foreach (var name in rules.GenerationFields)
        {
            if (value.StructSchema.Field(name) is { } field && !ApiValues.AreEqual(value.Get(field.Ordinal), old.Get(field.Ordinal), field.Shape))
            {
                return true;
            }
        }

        return false;
    }

    private static Dictionary<string, object?> Counted(Dictionary<string, object?> rest, KindRules rules) =>
        rules.HasStatus ? rest.Where(f => f.Key != "status").ToDictionary(StringComparer.Ordinal) : rest;

    /// <summary>Custom objects: not even metadata is written through status, but who owns what.</summary>
    private static void KeepAllElse(KubeObject value, Dictionary<string, object?> rest, KubeObject old)
    {
        var hasStatus = rest.TryGetValue("status", out var status);
        rest.Clear();
        foreach (var (key, item) in old.Rest!.Where(f => f.Key != "status"))
        {
            rest[key] = ApiValues.CloneTree(item);
        }

        if (hasStatus)
        {
            rest["status"] = status;
        }

        var (owners, version) = (value.Metadata.ManagedFields, value.Metadata.ResourceVersion);
        value.Metadata = (Hardway.Api.Meta.V1.ObjectMeta)old.Metadata.DeepClone();
        (value.Metadata.ManagedFields, value.Metadata.ResourceVersion) = (owners, version);
    }

    private static void Copy(KubeObject value, KubeObject old, string name)
    {
        if (value.Rest is { } rest)
        {
            if (old.Rest!.TryGetValue(name, out var item))
            {
                rest[name] = ApiValues.CloneTree(item);
            }
            else
            {
                rest.Remove(name);
            }
        }

        if (value.StructSchema.Field(name) is { } field)
        {
            value.Set(field.Ordinal, ApiValues.CloneValue(old.Get(field.Ordinal), field.Shape));
        }
    }
}
