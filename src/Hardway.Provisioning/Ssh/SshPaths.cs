using System.Security.Cryptography;
using System.Text;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Ssh;

/// <summary>Where the cluster's SSH key and host keys are, and the sockets of shared connections (short paths: a socket's has at most 107 bytes).</summary>
public sealed class SshPaths
{
    private const UnixFileMode _mine = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <param name="clusterDirectory">The cluster's own.</param>
    /// <param name="keyType">ed25519 or rsa; null: of the key that is there, else ed25519.</param>
    public SshPaths(string clusterDirectory, string? keyType = null)
    {
        Directory = Path.Combine(clusterDirectory, "ssh");
        KeyType = keyType ?? (File.Exists(Path.Combine(Directory, "id_rsa")) && !File.Exists(Path.Combine(Directory, "id_ed25519")) ? "rsa" : "ed25519");
        Key = Path.Combine(Directory, "id_" + KeyType);
        KnownHosts = Path.Combine(Directory, "known_hosts");
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(clusterDirectory))))[..8];
        Sockets = $"/run/hardway-ssh-{hash}";
    }

    public string Directory { get; }

    /// <summary>As ssh-keygen names it.</summary>
    public string KeyType { get; }

    /// <summary>The cluster's private key; beside it, with .pub, the public one.</summary>
    public string Key { get; }

    public string KnownHosts { get; }

    internal string Sockets { get; }

    internal string ControlSocket(Machine machine) => Path.Combine(Sockets, machine.Address.ToString());

    internal void Create() => System.IO.Directory.CreateDirectory(Directory, _mine);

    internal void CreateSockets() => System.IO.Directory.CreateDirectory(Sockets, _mine);

    /// <summary>The environment in which ssh gets its password: a program that prints it from there. Nothing is written but that program.</summary>
    internal IReadOnlyDictionary<string, string>? AnswerFor(string? password)
    {
        if (password is null)
        {
            return null;
        }

        var program = Path.Combine(Sockets, "askpass");
        if (!File.Exists(program))
        {
            var temporary = $"{program}-{Guid.NewGuid():N}";
            File.WriteAllText(temporary, "#!/bin/sh\nprintf '%s\\n' \"$HARDWAY_SSH_ANSWER\"\n");
            File.SetUnixFileMode(temporary, _mine);
            File.Move(temporary, program, overwrite: true);
        }

        return new Dictionary<string, string> { ["SSH_ASKPASS"] = program, ["SSH_ASKPASS_REQUIRE"] = "force", ["HARDWAY_SSH_ANSWER"] = password };
    }

    internal void RemoveSockets()
    {
        if (!System.IO.Directory.Exists(Sockets))
        {
            return;
        }

        File.Delete(Path.Combine(Sockets, "askpass"));
        if (!System.IO.Directory.EnumerateFileSystemEntries(Sockets).Any())
        {
            System.IO.Directory.Delete(Sockets);
        }
    }
}
