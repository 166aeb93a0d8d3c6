using Hardway.ApiServer.Authorization.Node;
using Hardway.ApiServer.Authorization.Rbac;
using Hardway.ApiServer.Authorization.Webhook;
using Hardway.ApiServer.Configuration;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Authorization;

/// <summary>
/// The authorizers as configured: by flags, or by a file that is read again when it changes. Members of system:masters may do everything,
/// whatever these say. Safe for all threads.
/// </summary>
internal sealed class AuthorizationStack : IAuthorizer
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(10);
    private readonly ReloadedFile<AuthorizerChain>? _file;
    private readonly AuthorizerChain _fixed;
    private readonly IResourceReader _reader;
    private readonly TimeProvider _time;

    /// <param name="options">What the command line says.</param>
    /// <param name="reader">Where roles and bindings are.</param>
    /// <param name="time">The clock.</param>
    /// <param name="report">Told what was wrong with a configuration file that changed.</param>
    public AuthorizationStack(AuthorizationOptions options, IResourceReader reader, TimeProvider time, Action<string>? report = null)
    {
        (_reader, _time) = (reader, time);
        Rbac = new RbacAuthorizer(reader);
        if (options.ConfigFile.Length > 0)
        {
            UsesRbac = AuthorizationConfig.Read(options.ConfigFile).Authorizers.Any(a => a.Type == "RBAC");
            _file = new ReloadedFile<AuthorizerChain>(options.ConfigFile, path => Chain(AuthorizationConfig.Read(path)), s_interval, time, report);
            _fixed = _file.Current;
        }
        else
        {
            UsesRbac = options.Modes.Contains("RBAC");
            _fixed = Chain(options.ToConfig());
        }
    }

    public IAuthorizer Authorizer => _file is null ? _fixed : this;

    public RbacAuthorizer Rbac { get; }

    /// <summary>Do roles and bindings count here (and do the default ones have to be there)?</summary>
    public bool UsesRbac { get; }

    public ValueTask<AuthorizationResult> AuthorizeAsync(AuthorizationAttributes attributes, CancellationToken cancellationToken) =>
        (_file?.Current ?? _fixed).AuthorizeAsync(attributes, cancellationToken);

    private AuthorizerChain Chain(AuthorizationConfig config) => new([new MastersAuthorizer(), .. config.Authorizers.Select(IAuthorizer (one) => one.Type switch
    {
        "RBAC" => Rbac,
        "Node" => new NodeAuthorizer(_reader),
        "AlwaysAllow" => new AlwaysAllowAuthorizer(),
        "AlwaysDeny" => new AlwaysDenyAuthorizer(),
        _ => new WebhookAuthorizer(one.Webhook!, _time),
    })]);
}
