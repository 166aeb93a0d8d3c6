using Hardway.Api.Rbac.V1;

namespace Hardway.ApiServer.Authorization.Rbac;

/// <summary>A RoleBinding, or a ClusterRoleBinding where the namespace is empty. Immutable.</summary>
internal sealed record RbacBinding(string Namespace, string Name, RoleRef Role, Subject[] Subjects)
{
    public static string UserKey(string name) => "u:" + name;

    public static string GroupKey(string name) => "g:" + name;

    /// <summary>Where a subject is looked up; null for a kind that nobody is.</summary>
    public string? KeyOf(Subject subject) => subject.Kind switch
    {
        "User" => UserKey(subject.Name),
        "Group" => GroupKey(subject.Name),
        "ServiceAccount" when (subject.Namespace.Length > 0 ? subject.Namespace : Namespace) is { Length: > 0 } ns => UserKey($"system:serviceaccount:{ns}:{subject.Name}"),
        _ => null,
    };

    /// <summary>What an access review says of it.</summary>
    public string Describe(Subject subject)
    {
        var binding = Namespace.Length == 0 ? $"ClusterRoleBinding \"{Name}\"" : $"RoleBinding \"{Name}/{Namespace}\"";
        var who = subject.Kind == "ServiceAccount" ? $"ServiceAccount \"{subject.Name}/{subject.Namespace}\"" : $"{subject.Kind} \"{subject.Name}\"";
        return $"RBAC: allowed by {binding} of {Role.Kind} \"{Role.Name}\" to {who}";
    }
}
