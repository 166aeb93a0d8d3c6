namespace Hardway.ApiServer.Custom;

/// <summary>One entry of x-kubernetes-validations, as written. Immutable.</summary>
internal sealed record SchemaRule(string Rule, string Message, string MessageExpression, string Reason, string FieldPath, bool? OptionalOldSelf)
{
    public static List<SchemaRule> ReadAll(Dictionary<string, object?> schema)
    {
        if (schema.GetValueOrDefault("x-kubernetes-validations") is not List<object?> list)
        {
            return [];
        }

        return [.. list.OfType<Dictionary<string, object?>>().Select(r => new SchemaRule(Text(r, "rule"), Text(r, "message"), Text(r, "messageExpression"), Text(r, "reason"), Text(r, "fieldPath"), r.GetValueOrDefault("optionalOldSelf") as bool?))];
    }

    private static string Text(Dictionary<string, object?> map, string key) => map.GetValueOrDefault(key) as string ?? "";
}
