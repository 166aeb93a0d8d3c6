namespace Hardway.Cel.Kubernetes;

/// <summary>The types of what expressions of webhooks and policies may name.</summary>
public static class AdmissionTypes
{
    private static readonly Dictionary<string, CelDecl> s_request = new(StringComparer.Ordinal)
    {
        ["kind"] = Texts("kind", "group", "version", "kind"),
        ["resource"] = Texts("resource", "group", "version", "resource"),
        ["subResource"] = CelDecl.Text,
        ["requestKind"] = Texts("kind", "group", "version", "kind"),
        ["requestResource"] = Texts("resource", "group", "version", "resource"),
        ["requestSubResource"] = CelDecl.Text,
        ["name"] = CelDecl.Text,
        ["namespace"] = CelDecl.Text,
        ["operation"] = CelDecl.Text,
        ["userInfo"] = CelDecl.Object("kubernetes.UserInfo", new Dictionary<string, CelDecl>(StringComparer.Ordinal)
        {
            ["username"] = CelDecl.Text,
            ["uid"] = CelDecl.Text,
            ["groups"] = CelDecl.List(CelDecl.Text),
            ["extra"] = CelDecl.Map(CelDecl.Text, CelDecl.List(CelDecl.Text)),
        }),
        ["dryRun"] = CelDecl.Bool,
        ["options"] = CelDecl.Dyn,
    };

    /// <param name="value">The object's type; dyn where it can be any.</param>
    /// <param name="parameters">The params' type; null where there are none.</param>
    public static Dictionary<string, CelDecl> Variables(CelDecl value, CelDecl? parameters)
    {
        var types = new Dictionary<string, CelDecl>(StringComparer.Ordinal)
        {
            ["object"] = value,
            ["oldObject"] = value,
            ["request"] = CelDecl.Object("kubernetes.AdmissionRequest", s_request),
            ["namespaceObject"] = CelDecl.Dyn,
            ["authorizer"] = CelDecl.Opaque("kubernetes.authorization.Authorizer"),
        };
        if (parameters is not null)
        {
            types["params"] = parameters;
        }

        return types;
    }

    /// <summary>The policy's own variables as one object, for those that come after them.</summary>
    public static CelDecl Composed(IReadOnlyDictionary<string, CelDecl> variables) => CelDecl.Object("kubernetes.variables", new Dictionary<string, CelDecl>(variables, StringComparer.Ordinal));

    /// <exception cref="CelSyntaxException">It is none.</exception>
    /// <exception cref="CelTypeException">Its types do not fit.</exception>
    public static CelCheck Check(string expression, IReadOnlyDictionary<string, CelDecl> types) => new CelEnvironment(types.Keys).Compile(expression).Check(types);

    private static CelDecl Texts(string name, params string[] fields) => CelDecl.Object("kubernetes.request." + name, fields.ToDictionary(t => t, _ => CelDecl.Text, StringComparer.Ordinal));
}
