using System.Net.Sockets;
using System.Security.Authentication;

namespace Hardway.Provisioning;

/// <summary>Says in a few words why a request did not get an answer.</summary>
internal static class Reasons
{
    public static string Of(Exception e)
    {
        for (var inner = e; inner is not null; inner = inner.InnerException)
        {
            switch (inner)
            {
                case SocketException socket:
                    return socket.SocketErrorCode switch
                    {
                        SocketError.ConnectionRefused => "connection refused: nothing listens there yet",
                        SocketError.HostUnreachable or SocketError.NetworkUnreachable => "no route to the machine",
                        SocketError.TimedOut => "no answer (time limit)",
                        SocketError.ConnectionReset => "connection reset",
                        _ => socket.Message,
                    };
                case AuthenticationException:
                    return "TLS: " + inner.Message;
                case IOException { InnerException: null }:
                    return "the connection was closed: " + inner.Message.Trim();
                case TimeoutException or TaskCanceledException:
                    return "no answer (time limit)";
            }
        }

        return e.Message;
    }
}
