using Hardway.Api.ApiExtensions.V1;

namespace Hardway.ApiServer.Custom;

/// <summary>The conditions in a definition's status.</summary>
internal static class DefinitionConditions
{
    public static void Set(CustomResourceDefinitionStatus status, string type, bool isTrue, string reason, string message, DateTimeOffset now)
    {
        var conditions = status.Conditions ??= [];
        var value = isTrue ? "True" : "False";
        var condition = conditions.Find(c => c.Type == type);
        if (condition is null)
        {
            conditions.Add(condition = new CustomResourceDefinitionCondition { Type = type });
        }

        if (condition.Status != value)
        {
            condition.LastTransitionTime = now;
        }

        (condition.Status, condition.Reason, condition.Message) = (value, reason, message);
    }
}
