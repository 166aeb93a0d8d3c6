namespace Hardway.ApiServer.Rules.ApiExtensions;

internal enum ApprovalState
{
    Missing,
    Invalid,
    Approved,
    Bypassed,
}

/// <summary>The community's groups (*.k8s.io, *.kubernetes.io) need an annotation that leads to their review (KEP-1111).</summary>
internal static class ApiApproval
{
    public const string Annotation = "api-approved.kubernetes.io";

    public static bool IsProtected(string group) => group is "k8s.io" or "kubernetes.io" || group.EndsWith(".k8s.io", StringComparison.Ordinal) || group.EndsWith(".kubernetes.io", StringComparison.Ordinal);

    public static (ApprovalState State, string Message) Of(IReadOnlyDictionary<string, string>? annotations)
    {
        var value = annotations?.GetValueOrDefault(Annotation) ?? "";
        return value.Length == 0 ? (ApprovalState.Missing, $"protected groups must have the annotation \"{Annotation}\"")
            : value.StartsWith("unapproved", StringComparison.Ordinal) ? (ApprovalState.Bypassed, $"not approved: \"{value}\"")
            : Uri.TryCreate(value, UriKind.Absolute, out var url) && url.Host.Length > 0 && url.Scheme.Length > 0 ? (ApprovalState.Approved, "approved in " + value)
            : (ApprovalState.Invalid, $"the annotation \"{Annotation}\" must be a URL or begin with \"unapproved\"");
    }
}
