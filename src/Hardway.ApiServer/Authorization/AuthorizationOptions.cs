using Hardway.ApiServer.Authorization.Webhook;
using Hardway.Hosting;

namespace Hardway.ApiServer.Authorization;

/// <summary>What the command line says about who may do what.</summary>
internal sealed class AuthorizationOptions
{
    private static readonly string[] s_known = ["Node", "RBAC", "Webhook", "AlwaysAllow", "AlwaysDeny"];
    private bool _saysModes;
    private string _webhookFile = "";
    private TimeSpan _authorizedTtl = TimeSpan.FromMinutes(5);
    private TimeSpan _unauthorizedTtl = TimeSpan.FromSeconds(30);

    public IReadOnlyList<string> Modes { get; private set; } = ["AlwaysAllow"];

    /// <summary>AuthorizationConfiguration instead of modes.</summary>
    public string ConfigFile { get; private set; } = "";

    public void AddFlags(FlagSet flags)
    {
        flags.StringList("authorization-mode", "Who decides, in order: Node, RBAC, Webhook, AlwaysAllow, AlwaysDeny.", v => (Modes, _saysModes) = (v, true), "AlwaysAllow");
        flags.String("authorization-config", "AuthorizationConfiguration: who decides, in order. Read again when it changes.", v => ConfigFile = v);
        flags.String("authorization-webhook-config-file", "Kubeconfig of the server that the mode Webhook asks.", v => _webhookFile = v);
        flags.Duration("authorization-webhook-cache-authorized-ttl", "How long it is believed that somebody may.", v => _authorizedTtl = v, _authorizedTtl);
        flags.Duration("authorization-webhook-cache-unauthorized-ttl", "How long it is believed that somebody may not.", v => _unauthorizedTtl = v, _unauthorizedTtl);
        flags.Custom("authorization-webhook-version", "version", "Version of SubjectAccessReview that it is asked with: v1.", v => v == "v1" ? null : "is not v1", "v1");
    }

    /// <summary>The modes as a configuration file would have them.</summary>
    public AuthorizationConfig ToConfig() => new([.. Modes.Select(mode => new AuthorizerConfig(mode, mode.ToLowerInvariant(), mode == "Webhook" ? new WebhookAuthorizerConfig { KubeConfigFile = _webhookFile, AuthorizedTtl = _authorizedTtl, UnauthorizedTtl = _unauthorizedTtl } : null))]);

    /// <summary>What is wrong, one line each.</summary>
    public IEnumerable<string> Problems()
    {
        foreach (var mode in Modes)
        {
            if (!s_known.Contains(mode))
            {
                yield return $"--authorization-mode has \"{mode}\", which is not one of {string.Join(", ", s_known)}";
            }
        }

        if (Modes.Distinct().Count() != Modes.Count)
        {
            yield return "--authorization-mode names a mode twice";
        }

        if (Modes.Count == 0)
        {
            yield return "--authorization-mode is empty";
        }

        if (Modes.Contains("Webhook") != _webhookFile.Length > 0)
        {
            yield return "--authorization-mode=Webhook and --authorization-webhook-config-file belong together; one of them is missing";
        }

        if (ConfigFile.Length > 0 && (_saysModes || _webhookFile.Length > 0))
        {
            yield return "--authorization-config and --authorization-mode (or --authorization-webhook-*) exclude each other";
        }

        foreach (var file in new[] { ConfigFile, _webhookFile })
        {
            if (file.Length > 0 && !File.Exists(file))
            {
                yield return $"{file} does not exist";
            }
        }
    }
}
