using System.Text;
using Hardway.Hosting;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Ssh;

/// <summary>
/// One machine reached by the OpenSSH client over one shared connection (ControlMaster), so that a command costs one channel and not one
/// handshake. Never asks anybody anything (a password comes from the options), keeps host keys in the cluster's own known_hosts file. At most four commands at once.
/// Safe for use from several tasks.
/// </summary>
internal sealed class SshMachine : IAsyncDisposable
{
    private static readonly TimeSpan _connectLimit = TimeSpan.FromSeconds(10);

    private readonly SshOptions _options;
    private readonly SshPaths _paths;
    private readonly Transcript _transcript;
    private readonly SemaphoreSlim _channels = new(4);
    private bool _connected;
    private bool _sudoAsks;

    public SshMachine(Machine machine, SshOptions options, SshPaths paths, Transcript transcript)
    {
        Machine = machine;
        _options = options;
        _paths = paths;
        _transcript = transcript;
    }

    public Machine Machine { get; }

    private string Socket => _paths.ControlSocket(Machine);

    /// <summary>Whether this run added the cluster's key.</summary>
    public bool KeyIsNew { get; set; }

    /// <summary>Opens the shared connection with whichever of the keys the machine takes (none given: what the client finds by itself as well).</summary>
    public async Task<CommandResult> ConnectAsync(string key, string? firstKey, CancellationToken cancellation)
    {
        await CloseAsync(cancellation).ConfigureAwait(false);
        _paths.CreateSockets();
        List<string> arguments = ["-M", "-N", "-f", "-o", "ControlPersist=300", .. Handshake, .. Common(), "-i", key];
        if (firstKey is not null)
        {
            arguments.AddRange(["-i", firstKey, "-o", "IdentitiesOnly=yes"]);
        }

        if (_options.Password is not null)
        {
            // Of several values of an option ssh takes the first.
            arguments.InsertRange(0, ["-o", "BatchMode=no", "-o", "NumberOfPasswordPrompts=1"]);
        }

        arguments.Add(Target);
        var result = await LocalProcess.RunAsync("ssh", arguments, null, _connectLimit, cancellation, environment: _paths.AnswerFor(_options.Password)).ConfigureAwait(false);
        _connected = result.Succeeded;
        if (_connected && _options is { Password: not null, User: not "root" })
        {
            // -k: what sudo remembers of an earlier command does not count, or a later one would ask at another time than this.
            var free = await LocalProcess.RunAsync("ssh", [.. Common(), Target, "exec sudo -k -n true"], null, _connectLimit, cancellation).ConfigureAwait(false);
            _sudoAsks = !free.Succeeded;
        }

        return result;
    }

    /// <summary>Logs in over a connection of its own, with this key alone, and out again.</summary>
    public Task<CommandResult> LogInAsync(string key, CancellationToken cancellation) => LocalProcess.RunAsync(
        "ssh", ["-o", "ControlPath=none", .. Common(), .. Handshake, "-i", key, "-o", "IdentitiesOnly=yes", Target, "exit"], null, _connectLimit, cancellation);

    /// <summary>
    /// Runs a bash script on the machine as root. The script travels as an argument, so it must hold no secret (files go by the input).
    /// Throws when it does not end with 0, unless <paramref name="mayFail"/>.
    /// </summary>
    public async Task<CommandResult> RunAsync(
        string step,
        string script,
        CancellationToken cancellation,
        Func<Stream, CancellationToken, Task>? input = null,
        TimeSpan? limit = null,
        bool mayFail = false)
    {
        await _channels.WaitAsync(cancellation).ConfigureAwait(false);
        CommandResult result;
        try
        {
            // The key is for when the shared connection is gone, as after a power-off: then a command has one of its own.
            List<string> arguments = [.. Common(), .. File.Exists(_paths.Key) ? (string[])["-o", "ConnectTimeout=5", "-i", _paths.Key] : [], Target, RemoteCommand(script)];
            result = await LocalProcess.RunAsync("ssh", arguments, _sudoAsks ? WithPassword(input) : input, limit ?? TimeSpan.FromSeconds(60), cancellation).ConfigureAwait(false);
        }
        finally
        {
            _channels.Release();
        }

        _transcript.Command(step, Machine.HostName, script, result);
        return result.Succeeded || mayFail
            ? result
            : throw new ComponentException($"{Machine}: {result.Reason}");
    }

    public async Task CloseAsync(CancellationToken cancellation)
    {
        if (File.Exists(Socket))
        {
            await LocalProcess.RunAsync("ssh", ["-S", Socket, "-O", "exit", Target], null, _connectLimit, cancellation).ConfigureAwait(false);
            File.Delete(Socket);
        }

        _connected = false;
    }

    public async ValueTask DisposeAsync()
    {
        if (_connected)
        {
            await CloseAsync(CancellationToken.None).ConfigureAwait(false);
        }

        _channels.Dispose();
    }

    /// <summary>One word for a POSIX shell, whatever is in it.</summary>
    internal static string Quote(string text) => "'" + text.Replace("'", "'\\''", StringComparison.Ordinal) + "'";

    private string Target => $"{_options.User}@{Machine.Address}";

    private static IReadOnlyList<string> Handshake =>
        ["-o", "ConnectTimeout=5", "-o", "Ciphers=^aes128-gcm@openssh.com", "-o", "KexAlgorithms=^curve25519-sha256", "-o", "GSSAPIAuthentication=no"];

    private string RemoteCommand(string script)
    {
        var command = new StringBuilder("exec ");
        if (_options.User != "root")
        {
            command.Append(_sudoAsks ? "sudo -k -S -p '' -- " : "sudo -n -- ");
        }

        return command.Append("bash -c ").Append(Quote(script)).ToString();
    }

    /// <summary>sudo reads its password as the first line of the input, byte by byte, and leaves the rest.</summary>
    private Func<Stream, CancellationToken, Task> WithPassword(Func<Stream, CancellationToken, Task>? input) => async (stream, cancellation) =>
    {
        await stream.WriteAsync(Encoding.UTF8.GetBytes(_options.Password + "\n"), cancellation).ConfigureAwait(false);
        await stream.FlushAsync(cancellation).ConfigureAwait(false);
        if (input is not null)
        {
            await input(stream, cancellation).ConfigureAwait(false);
        }
    };

    private IEnumerable<string> Common() =>
    [
        "-F", "none", "-T", "-p", $"{_options.Port}", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=accept-new", "-o", $"UserKnownHostsFile={string.Join(' ', ((string?[])[_paths.KnownHosts, _options.FirstKnownHosts]).OfType<string>().Select(p => $"\"{p}\""))}",
        "-o", "GlobalKnownHostsFile=/dev/null", "-o", "Compression=no", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3", "-o", "LogLevel=ERROR",
        "-o", $"ControlPath={Socket}",
    ];
}
