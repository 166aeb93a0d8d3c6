using Hardway.Api.FlowControl.V1;

namespace Hardway.ApiServer.FlowControl;

/// <summary>The flow schemas and priority levels that every cluster has. Mandatory ones are always as they stand here; suggested ones until somebody annotates them.</summary>
internal static class SuggestedConfiguration
{
    private const string Masters = "system:masters";
    private const string Authenticated = "system:authenticated";
    private const string Unauthenticated = "system:unauthenticated";
    private const string Nodes = "system:nodes";

    public static IReadOnlyList<PriorityLevelConfiguration> Levels { get; } =
    [
        Level("exempt", new() { Type = "Exempt", Exempt = new() { NominalConcurrencyShares = 0, LendablePercent = 0 } }),
        Level("catch-all", new() { Type = "Limited", Limited = new() { NominalConcurrencyShares = 5, LendablePercent = 0, LimitResponse = new() { Type = "Reject" } } }),
        Queued("system", 30, 33, 64, 6),
        Queued("node-high", 40, 25, 64, 6),
        Queued("leader-election", 10, 0, 16, 4),
        Queued("workload-high", 40, 50, 128, 6),
        Queued("workload-low", 100, 90, 128, 6),
        Queued("global-default", 20, 50, 128, 6),
    ];

    public static IReadOnlyList<FlowSchema> Schemas { get; } =
    [
        Schema("exempt", "exempt", 1, "", new() { Subjects = [Group(Masters)], ResourceRules = [Everything()], NonResourceRules = [AnyPath()] }),
        Schema("catch-all", "catch-all", 10000, "ByUser", Everybody()),
        Schema("probes", "exempt", 2, "", new() { Subjects = [Group(Unauthenticated), Group(Authenticated)], NonResourceRules = [new() { Verbs = ["get"], NonResourceURLs = ["/healthz", "/readyz", "/livez"] }] }),
        Schema("system-leader-election", "leader-election", 100, "ByUser", new()
        {
            Subjects = [User("system:kube-controller-manager"), User("system:kube-scheduler"), Accounts("kube-system")],
            ResourceRules = [new() { Verbs = ["get", "create", "update"], ApiGroups = ["coordination.k8s.io"], Resources = ["leases"], Namespaces = ["*"] }],
        }),
        Schema("system-node-high", "node-high", 400, "ByUser", new()
        {
            Subjects = [Group(Nodes)],
            ResourceRules =
            [
                new() { Verbs = ["*"], ApiGroups = [""], Resources = ["nodes", "nodes/status"], ClusterScope = true, Namespaces = ["*"] },
                new() { Verbs = ["*"], ApiGroups = ["coordination.k8s.io"], Resources = ["leases"], Namespaces = ["*"] },
            ],
        }),
        Schema("system-nodes", "system", 500, "ByUser", All(Group(Nodes))),
        Schema("kube-controller-manager", "workload-high", 800, "ByNamespace", All(User("system:kube-controller-manager"))),
        Schema("kube-scheduler", "workload-high", 800, "ByNamespace", All(User("system:kube-scheduler"))),
        Schema("kube-system-service-accounts", "workload-high", 900, "ByNamespace", All(Accounts("kube-system"))),
        Schema("service-accounts", "workload-low", 9000, "ByUser", All(Group("system:serviceaccounts"))),
        Schema("global-default", "global-default", 9900, "ByUser", Everybody()),
    ];

    public static bool IsMandatory(string name) => name is "exempt" or "catch-all";

    public static FlowSchemaSpec? FixedSchema(string name) => IsMandatory(name) ? Schemas.First(s => s.Metadata.Name == name).Spec : null;

    public static PriorityLevelConfigurationSpec? FixedLevel(string name) => IsMandatory(name) ? Levels.First(s => s.Metadata.Name == name).Spec : null;

    private static PriorityLevelConfiguration Level(string name, PriorityLevelConfigurationSpec spec) => new() { Metadata = { Name = name }, Spec = spec };

    private static PriorityLevelConfiguration Queued(string name, int shares, int lendable, int queues, int hand) => Level(name, new()
    {
        Type = "Limited",
        Limited = new()
        {
            NominalConcurrencyShares = shares,
            LendablePercent = lendable,
            LimitResponse = new() { Type = "Queue", Queuing = new() { Queues = queues, HandSize = hand, QueueLengthLimit = 50 } },
        },
    });

    private static FlowSchema Schema(string name, string level, int precedence, string distinguisher, PolicyRulesWithSubjects rule) => new()
    {
        Metadata = { Name = name },
        Spec = new()
        {
            PriorityLevelConfiguration = new() { Name = level },
            MatchingPrecedence = precedence,
            DistinguisherMethod = distinguisher.Length == 0 ? null : new() { Type = distinguisher },
            Rules = [rule],
        },
    };

    private static PolicyRulesWithSubjects Everybody() => All(Group(Unauthenticated), Group(Authenticated));

    private static PolicyRulesWithSubjects All(params List<Subject> subjects) => new() { Subjects = subjects, ResourceRules = [Everything()], NonResourceRules = [AnyPath()] };

    private static ResourcePolicyRule Everything() => new() { Verbs = ["*"], ApiGroups = ["*"], Resources = ["*"], ClusterScope = true, Namespaces = ["*"] };

    private static NonResourcePolicyRule AnyPath() => new() { Verbs = ["*"], NonResourceURLs = ["*"] };

    private static Subject Group(string name) => new() { Kind = "Group", Group = new() { Name = name } };

    private static Subject User(string name) => new() { Kind = "User", User = new() { Name = name } };

    private static Subject Accounts(string ns) => new() { Kind = "ServiceAccount", ServiceAccount = new() { Namespace = ns, Name = "*" } };
}
