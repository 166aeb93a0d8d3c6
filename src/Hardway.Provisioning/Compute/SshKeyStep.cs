using Hardway.Hosting;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Ssh;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Compute;

/// <summary>Makes the cluster's SSH key on the jumpbox.</summary>
internal sealed class SshKeyPairStep(ClusterModel cluster) : Step("ssh-key-pair", "")
{
    public override string Explain => $"Makes an {Kind} key for this cluster in {cluster.SshPaths.Key}; your own keys are left alone.";

    public override string Expected => "the private key (0600) and its public half are there";

    public override bool IsLocal => true;

    public override IReadOnlyList<StepItem> Contents => [new("key", cluster.SshPaths.Key, $"{Kind}, on the jumpbox"), new("command", "ssh-keygen", string.Join(' ', Arguments))];

    private string Kind => cluster.SshPaths.KeyType == "rsa" ? "rsa 4096" : cluster.SshPaths.KeyType;

    private string[] Arguments => ["-q", "-t", .. Kind == "rsa 4096" ? (string[])["rsa", "-b", "4096"] : [Kind], "-N", "", "-C", "hardway", "-f", cluster.SshPaths.Key];

    public override Task<StepCheck> CheckAsync(StepContext context, CancellationToken cancellation)
        => Task.FromResult(File.Exists(cluster.SshPaths.Key) && File.Exists(cluster.SshPaths.Key + ".pub")
            ? StepCheck.Good
            : StepCheck.Missing("no key yet", Contents[0]));

    public override Task<string> VerifyAsync(StepContext context, CancellationToken cancellation)
        => File.GetUnixFileMode(cluster.SshPaths.Key) == (UnixFileMode.UserRead | UnixFileMode.UserWrite)
            ? Task.FromResult(File.ReadAllText(cluster.SshPaths.Key + ".pub").Trim())
            : throw new ComponentException($"{cluster.SshPaths.Key} may be read by others; its mode must be 600");

    public override async Task ApplyAsync(StepContext context, CancellationToken cancellation)
    {
        File.Delete(cluster.SshPaths.Key);
        File.Delete(cluster.SshPaths.Key + ".pub");
        var result = await LocalProcess.RunAsync("ssh-keygen", Arguments, null, TimeSpan.FromSeconds(60), cancellation).ConfigureAwait(false);
        cluster.Transcript.Command(Name, "jumpbox", "ssh-keygen " + string.Join(' ', Arguments), result);
        if (!result.Succeeded)
        {
            throw new ComponentException($"ssh-keygen: {result.Reason}");
        }
    }
}

/// <summary>
/// Brings the key to one machine. Check opens the shared connection with the cluster's key, and that connection is what all later steps use;
/// a machine that is still booting gets the time of <see cref="SshOptions.Patience"/>.
/// </summary>
internal sealed class SshKeyStep(ClusterModel cluster, Machine machine) : Step("ssh-key", machine.HostName, "ssh-key-pair")
{
    private readonly SshMachine _ssh = cluster.SshTo(machine);

    public override string Explain =>
        $"Adds the cluster's public key to the authorized keys of {cluster.Options.Ssh.User} on {machine} ({machine.Address}), so that every later step logs in without a password.";

    public override string Expected => $"commands run on {machine} as root over a connection opened with the cluster's key";

    public override IReadOnlyList<StepItem> Contents => [new("file", AuthorizedKeys, $"one line for {cluster.SshPaths.Key}.pub")];

    public override async Task<StepCheck> CheckAsync(StepContext context, CancellationToken cancellation)
    {
        string? refusal = null;
        await context.WaitAsync(
            $"SSH on {machine.Address}",
            async token =>
            {
                var result = await _ssh.ConnectAsync(cluster.SshPaths.Key, cluster.Options.Ssh.FirstKey, token).ConfigureAwait(false);
                refusal = result.Succeeded ? null : Refusal(cluster, machine, result);
                return result.Succeeded || refusal is not null ? null : result.Reason;
            },
            cluster.Options.Ssh.Patience,
            null,
            cancellation).ConfigureAwait(false);
        if (refusal is not null)
        {
            throw new ComponentException(refusal);
        }

        var answer = await _ssh.RunAsync(
            Name, $"id -u; grep -qxF {SshMachine.Quote(PublicKey)} {Home}/.ssh/authorized_keys && echo known", cancellation, mayFail: true).ConfigureAwait(false);
        var words = answer.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (words.FirstOrDefault() != "0")
        {
            throw new ComponentException($"{machine}: no root: {(words.Length > 0 ? "commands run as user id " + words[0] : answer.Reason)}");
        }

        return words.Contains("known") ? StepCheck.Good : StepCheck.Missing("the key is not known there yet", Contents);
    }

    public override async Task ApplyAsync(StepContext context, CancellationToken cancellation)
    {
        var key = PublicKey;
        var owner = SshMachine.Quote(cluster.Options.Ssh.User);
        await _ssh.RunAsync(
            Name,
            $"""
            set -eu
            umask 077
            home={Home}
            mkdir -p "$home/.ssh"
            touch "$home/.ssh/authorized_keys"
            grep -qxF {SshMachine.Quote(key)} "$home/.ssh/authorized_keys" || echo {SshMachine.Quote(key)} >>"$home/.ssh/authorized_keys"
            chown {owner}: "$home/.ssh" "$home/.ssh/authorized_keys"
            """,
            cancellation).ConfigureAwait(false);
        _ssh.KeyIsNew = true;
    }

    private string AuthorizedKeys => cluster.Options.Ssh.User == "root" ? "/root/.ssh/authorized_keys" : $"~{cluster.Options.Ssh.User}/.ssh/authorized_keys";

    private string PublicKey => File.ReadAllText(cluster.SshPaths.Key + ".pub").Trim();

    private string Home => cluster.Options.Ssh.User == "root" ? "/root" : $"$(getent passwd {SshMachine.Quote(cluster.Options.Ssh.User)} | cut -d: -f6)";

    /// <summary>Why there is no use in trying again; null when there may be.</summary>
    internal static string? Refusal(ClusterModel cluster, Machine machine, CommandResult result)
    {
        if (result.Error.Contains("HOST IDENTIFICATION HAS CHANGED", StringComparison.Ordinal) || result.Error.Contains("Host key verification failed", StringComparison.Ordinal))
        {
            return $"{machine.Address} shows another host key than before: it is another machine, or someone is in between; "
                + $"if the machine was made anew, remove its line from {cluster.SshPaths.KnownHosts}";
        }

        var tried = cluster.Options.Ssh.FirstKey ?? "your own SSH keys";
        return result.Error.Contains("Permission denied", StringComparison.Ordinal)
            ? $"{machine} ({machine.Address}) refuses {cluster.Options.Ssh.User} with {tried}; give a key that opens it with --ssh-key, or a password with --ask-password, and its user with --ssh-user"
            : null;
    }
}
