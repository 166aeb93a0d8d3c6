using Hardway.Api;

namespace Hardway.ApiServer.Registry;

/// <summary>The part of an object that the status subresource writes, by the schema.</summary>
internal static class StatusPart
{
    public static void Clear(KubeObject value)
    {
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
        foreach (var field in value.StructSchema.Fields)
        {
            if (field.Name is not ("status" or "metadata" or "kind" or "apiVersion"))
            {
                value.Set(field.Ordinal, ApiValues.CloneValue(old.Get(field.Ordinal), field.Shape));
            }
        }
    }

    public static bool Differs(KubeObject value, KubeObject old, IReadOnlyList<string> fields)
    {
        foreach (var name in fields)
        {
            if (value.StructSchema.Field(name) is { } field && !ApiValues.AreEqual(value.Get(field.Ordinal), old.Get(field.Ordinal), field.Shape))
            {
                return true;
            }
        }

        return false;
    }

    private static void Copy(KubeObject value, KubeObject old, string name)
    {
        if (value.StructSchema.Field(name) is { } field)
        {
            value.Set(field.Ordinal, ApiValues.CloneValue(old.Get(field.Ordinal), field.Shape));
        }
    }
}
