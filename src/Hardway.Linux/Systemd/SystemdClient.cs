using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Hardway.Linux.Systemd;

/// <summary>systemd refused a request; the name is D-Bus's error name.</summary>
public sealed class SystemdException(string name, string message) : IOException(message)
{
    public string Name { get; } = name;
}

/// <summary>
/// Asks systemd to start, change and stop units, over its private socket (D-Bus without a bus; root only). One connection a request:
/// 1. SASL EXTERNAL as the socket's peer, 2. one method call, 3. its reply. Only little-endian messages are spoken, which is what systemd answers in.
/// </summary>
public sealed class SystemdClient(string socket = "/run/systemd/private")
{
    private const int MaxMessage = 1 << 20;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    public bool IsThere => File.Exists(socket);

    /// <summary>Starts a unit that lives until it is stopped or the machine is.</summary>
    public Task StartTransientUnitAsync(string unit, IReadOnlyList<UnitProperty> properties, CancellationToken stop) => CallAsync("StartTransientUnit", "ssa(sv)a(sa(sv))", body =>
    {
        body.String(unit);
        body.String("replace");
        WriteProperties(body, properties);
        body.Array(8, () => { });
    }, stop);

    public Task SetUnitPropertiesAsync(string unit, IReadOnlyList<UnitProperty> properties, CancellationToken stop) => CallAsync("SetUnitProperties", "sba(sv)", body =>
    {
        body.String(unit);
        body.UInt32(1);
        WriteProperties(body, properties);
    }, stop);

    public Task StopUnitAsync(string unit, CancellationToken stop) => CallAsync("StopUnit", "ss", body =>
    {
        body.String(unit);
        body.String("replace");
    }, stop);

    private static void WriteProperties(DBusWriter body, IReadOnlyList<UnitProperty> properties) => body.Array(8, () =>
    {
        foreach (var property in properties)
            property.Write(body);
    });

    private async Task CallAsync(string method, string signature, Action<DBusWriter> write, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Timeout);
        using var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), limit.Token);
        await using var stream = new NetworkStream(connection);
        // 1.
        await AuthenticateAsync(stream, limit.Token);
        // 2.
        await stream.WriteAsync(Message(method, signature, write), limit.Token);
        // 3.
        await ReadReplyAsync(stream, limit.Token);
    }

    private static async Task AuthenticateAsync(NetworkStream stream, CancellationToken stop)
    {
        var uid = Convert.ToHexStringLower(Encoding.ASCII.GetBytes(Native.EffectiveUser().ToString(CultureInfo.InvariantCulture)));
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"\0AUTH EXTERNAL {uid}\r\n"), stop);
        var line = new StringBuilder();
        var one = new byte[1];
        while (!line.ToString().EndsWith("\r\n", StringComparison.Ordinal) && line.Length < 4096)
        {
            await stream.ReadExactlyAsync(one, stop);
            line.Append((char)one[0]);
        }
        if (!line.ToString().StartsWith("OK ", StringComparison.Ordinal))
            throw new SystemdException("AuthFailed", $"systemd refused to talk to this user: {line.ToString().Trim()}");
        await stream.WriteAsync("BEGIN\r\n"u8.ToArray(), stop);
    }

    private static byte[] Message(string method, string signature, Action<DBusWriter> write)
    {
        var body = new DBusWriter();
        write(body);
        var message = new DBusWriter();
        message.Byte((byte)'l');
        message.Byte(1);
        message.Byte(0);
        message.Byte(1);
        message.UInt32((uint)body.Length);
        message.UInt32(1);
        message.Array(8, () =>
        {
            Field(message, 1, "o", "/org/freedesktop/systemd1");
            Field(message, 2, "s", "org.freedesktop.systemd1.Manager");
            Field(message, 3, "s", method);
            Field(message, 6, "s", "org.freedesktop.systemd1");
            message.Align(8);
            message.Byte(8);
            message.Signature("g");
            message.Signature(signature);
        });
        message.Align(8);
        message.Raw(body.ToArray());
        return message.ToArray();
    }

    private static void Field(DBusWriter message, byte code, string signature, string value)
    {
        message.Align(8);
        message.Byte(code);
        message.Signature(signature);
        message.String(value);
    }

    /// <summary>Signals may come first; the reply is the method return (2) or error (3).</summary>
    private static async Task ReadReplyAsync(NetworkStream stream, CancellationToken stop)
    {
        var head = new byte[16];
        while (true)
        {
            await stream.ReadExactlyAsync(head, stop);
            var body = BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(4));
            var fields = BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(12));
            if (head[0] != (byte)'l' || body > MaxMessage || fields > MaxMessage)
                throw new SystemdException("BadReply", "systemd answered with a message that is not understood");
            var rest = new byte[(fields + 7) / 8 * 8 + body];
            await stream.ReadExactlyAsync(rest, stop);
            if (head[1] == 2)
                return;
            if (head[1] == 3)
                throw Error(rest, (int)((fields + 7) / 8 * 8));
        }
    }

    private static SystemdException Error(byte[] rest, int bodyStart)
    {
        var text = "";
        if (rest.Length >= bodyStart + 4 && BinaryPrimitives.ReadUInt32LittleEndian(rest.AsSpan(bodyStart)) is var length && rest.Length >= bodyStart + 4 + length)
            text = Encoding.UTF8.GetString(rest, bodyStart + 4, (int)length);
        var fields = Encoding.ASCII.GetString(rest, 0, bodyStart);
        var at = fields.IndexOf("org.freedesktop.", StringComparison.Ordinal);
        var name = at < 0 ? "" : fields[at..].Split('\0')[0];
        return new SystemdException(name, $"systemd: {text}");
    }
}
