using System.Globalization;
using Hardway.Hosting;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.ControlPlane;

/// <summary>One backend as HAProxy sees it: its state, the last check, and connections now.</summary>
internal sealed record BackendStatus(string Name, string Status, string Check, int Sessions)
{
    public bool IsUp => Status.StartsWith("UP", StringComparison.Ordinal);

    /// <summary>
    /// The load balancer's own view, by its admin socket. bash cannot speak to a unix socket: socat, python3 or nc does, whichever is there.
    /// </summary>
    public static async Task<IReadOnlyList<BackendStatus>> ReadAsync(ClusterModel cluster, Machine balancer, CancellationToken cancellation)
    {
        var result = await cluster.SshTo(balancer).RunAsync("haproxy", Script("show stat -1 4 -1"), cancellation).ConfigureAwait(false);
        return Parse(result.Output);
    }

    /// <summary>The backend's name in HAProxy's configuration.</summary>
    public const string Backend = "kube-apiservers";

    /// <summary>Gives HAProxy a command that answers nothing when it is done.</summary>
    public static async Task TellAsync(ClusterModel cluster, Machine balancer, string command, CancellationToken cancellation)
    {
        var result = await cluster.SshTo(balancer).RunAsync("haproxy", Script(command), cancellation).ConfigureAwait(false);
        if (result.Output.Trim() is { Length: > 0 } complaint)
        {
            throw new ComponentException($"HAProxy on {balancer} does not take '{command}': {complaint}");
        }
    }

    private static string Script(string command) => $$"""
        s=/run/haproxy-admin.sock
        if command -v socat >/dev/null; then echo '{{command}}' | socat -t 2 - UNIX-CONNECT:$s
        elif command -v python3 >/dev/null; then python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.settimeout(2); s.connect("'$s'"); s.sendall(b"{{command}}\n"); print(b"".join(iter(lambda: s.recv(65536), b"")).decode())'
        elif command -v nc >/dev/null; then echo '{{command}}' | nc -U -w 2 $s
        else echo 'none of socat, python3 and nc is there to ask HAProxy' >&2; exit 1; fi
        """;

    /// <summary>CSV; the first line names the columns.</summary>
    internal static IReadOnlyList<BackendStatus> Parse(string csv)
    {
        var lines = csv.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (lines.Length == 0 || !lines[0].StartsWith("# ", StringComparison.Ordinal))
        {
            throw new ComponentException("HAProxy's admin socket did not answer with its statistics");
        }

        var columns = lines[0][2..].Split(',').Select((name, i) => (name, i)).Where(c => c.name.Length > 0).ToDictionary(c => c.name, c => c.i);
        return
        [
            .. lines.Skip(1).Select(l => l.Split(',')).Where(f => f.Length > columns["check_status"]).Select(f => new BackendStatus(
                f[columns["svname"]], f[columns["status"]], f[columns["check_status"]], int.TryParse(f[columns["scur"]], CultureInfo.InvariantCulture, out var now) ? now : 0)),
        ];
    }
}
