using Hardway.Api.Meta.V1;
using Hardway.Api.Rbac.V1;

namespace Hardway.ApiServer.Authorization.Rbac;

/// <summary>The roles and bindings of a fresh cluster, read from BootstrapPolicy.table (its head says the form). Immutable once read.</summary>
internal sealed class BootstrapPolicy
{
    public const string RbacGroup = "rbac.authorization.k8s.io";
    public const string AutoUpdate = "rbac.authorization.kubernetes.io/autoupdate";

    private static readonly string[] s_all = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
    private static readonly string[] s_write = ["create", "delete", "deletecollection", "patch", "update"];
    private static readonly string[] s_read = ["get", "list", "watch"];

    public List<ClusterRole> ClusterRoles { get; } = [];

    public List<ClusterRoleBinding> ClusterRoleBindings { get; } = [];

    public List<Role> Roles { get; } = [];

    public List<RoleBinding> RoleBindings { get; } = [];

    public static BootstrapPolicy Read()
    {
        using var stream = typeof(BootstrapPolicy).Assembly.GetManifestResourceStream("BootstrapPolicy.table")
            ?? throw new InvalidOperationException("the program was built without BootstrapPolicy.table");
        using var reader = new StreamReader(stream);
        return Parse(reader.ReadToEnd());
    }

    internal static BootstrapPolicy Parse(string text)
    {
        var policy = new BootstrapPolicy();
        List<PolicyRule>? rules = null;
        foreach (var line in text.Split('\n'))
        {
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            if (line.StartsWith("role ", StringComparison.Ordinal))
            {
                rules = policy.AddRole(line.Split(' '));
            }
            else if (line.StartsWith("bind ", StringComparison.Ordinal))
            {
                policy.AddBinding(line["bind ".Length..]);
            }
            else
            {
                rules!.Add(ParseRule(line.Trim().Split(' ')));
            }
        }

        return policy;
    }

    private List<PolicyRule>? AddRole(string[] words)
    {
        var (ns, name) = SplitName(words[1]);
        if (ns.Length > 0)
        {
            var role = new Role { Metadata = Meta(name, ns), Rules = [] };
            Roles.Add(role);
            return role.Rules;
        }

        var cluster = new ClusterRole { Metadata = Meta(name, "") };
        ClusterRoles.Add(cluster);
        foreach (var word in words.Skip(2))
        {
            var (key, value) = Split(word, '=');
            if (key == "collects")
            {
                cluster.AggregationRule = new AggregationRule
                {
                    ClusterRoleSelectors = [new LabelSelector { MatchLabels = new(StringComparer.Ordinal) { [$"{RbacGroup}/{value}"] = "true" } }],
                };
            }
            else
            {
                cluster.Metadata.Labels![$"{RbacGroup}/{value}"] = "true";
            }
        }

        return cluster.AggregationRule is null ? cluster.Rules = [] : null;
    }

    private void AddBinding(string line)
    {
        var (head, subjects) = Split(line, ": ");
        var (target, refers) = Split(head.TrimEnd(':'), " to ");
        var (ns, name) = SplitName(target);
        var list = subjects.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(ParseSubject).ToList();
        if (ns.Length == 0)
        {
            ClusterRoleBindings.Add(new ClusterRoleBinding { Metadata = Meta(name, ""), RoleRef = new RoleRef { ApiGroup = RbacGroup, Kind = "ClusterRole", Name = refers }, Subjects = list.Count > 0 ? list : null });
            return;
        }

        RoleBindings.Add(new RoleBinding { Metadata = Meta(name, ns), RoleRef = new RoleRef { ApiGroup = RbacGroup, Kind = "Role", Name = refers["role/".Length..] }, Subjects = list });
    }

    private static PolicyRule ParseRule(string[] words)
    {
        if (words is ["events"])
        {
            return new PolicyRule { Verbs = ["create", "patch", "update"], ApiGroups = ["", "events.k8s.io"], Resources = ["events"] };
        }

        List<string> verbs = words[0] switch { "all" => [.. s_all], "write" => [.. s_write], "read" => [.. s_read], _ => [.. words[0].Split(',')] };
        if (words[1] == "url:*" || words[1][0] == '/')
        {
            return new PolicyRule { Verbs = verbs, NonResourceURLs = words[1] == "url:*" ? ["*"] : [.. words[1..]] };
        }

        return new PolicyRule
        {
            Verbs = verbs,
            ApiGroups = words[1].Split(',').Select(g => g == "-" ? "" : g).ToList(),
            Resources = [.. words[2].Split(',')],
            ResourceNames = words.Length > 3 ? [.. words[3].Split(',')] : null,
        };
    }

    private static Subject ParseSubject(string word)
    {
        var (kind, name) = Split(word, ':');
        if (kind == "account")
        {
            var (ns, account) = Split(name, '/');
            return new Subject { Kind = "ServiceAccount", Name = account, Namespace = ns };
        }

        return new Subject { Kind = kind == "user" ? "User" : "Group", ApiGroup = RbacGroup, Name = name };
    }

    private static ObjectMeta Meta(string name, string ns) => new()
    {
        Name = name,
        Namespace = ns,
        Labels = new(StringComparer.Ordinal) { ["kubernetes.io/bootstrapping"] = "rbac-defaults" },
        Annotations = new(StringComparer.Ordinal) { [AutoUpdate] = "true" },
    };

    private static (string Namespace, string Name) SplitName(string text) => text.Contains('/', StringComparison.Ordinal) ? Split(text, '/') : ("", text);

    private static (string, string) Split(string text, char at) => Split(text, at.ToString());

    private static (string, string) Split(string text, string at)
    {
        var i = text.IndexOf(at, StringComparison.Ordinal);
        return i < 0 ? (text, "") : (text[..i], text[(i + at.Length)..]);
    }
}
