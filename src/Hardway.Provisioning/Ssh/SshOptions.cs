namespace Hardway.Provisioning.Ssh;

/// <summary>How machines are reached before the cluster's own key is on them, and as whom afterwards.</summary>
public sealed record SshOptions
{
    /// <summary>Root, or a user with sudo.</summary>
    public string User { get; init; } = "root";

    /// <summary>The private key that opens the machines at first; null: what the OpenSSH client finds by itself (agent, ~/.ssh).</summary>
    public string? FirstKey { get; init; }

    /// <summary>The user's password, for the first log-in and for sudo; null: keys alone, and a sudo that asks for none. Never written anywhere.</summary>
    public string? Password { get; init; }

    /// <summary>Of the cluster's own key: ed25519, or rsa (4096 bits); null: whichever there is already, else ed25519.</summary>
    public string? KeyType { get; init; }

    /// <summary>Host keys that are known already, as a known_hosts file; null: a machine's key is believed at first sight and kept.</summary>
    public string? FirstKnownHosts { get; init; }

    public int Port { get; init; } = 22;

    /// <summary>How long a machine may take to answer at first: it may still be booting.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);
}
