using System.Net;
using System.Net.Sockets;
using Hardway.Hosting;
using Microsoft.Extensions.Logging;

namespace Hardway.Proxy.LoadBalancing;

/// <summary>
/// Answers for this node's share of LoadBalancer addresses (docs/decisions/0008):
/// <code>
///   every 200 ms: heartbeat to the nodes that share an address ─► who is alive ─► the first alive of an address's order answers for it
///     became ours : answer ARP, announce at once and again for 5 s          no longer ours: stop answering
///   clean stop: a last heartbeat that says so, the next in order takes over at its next turn
/// </code>
/// A node that dies is missed after 1 s, so its addresses have moved within two seconds. The API is not asked: its outage moves nothing.
/// One loop owns the ports; <see cref="View"/> is set by any thread.
/// </summary>
internal sealed partial class Announcer(string node, IAnnouncerNetwork network, Func<bool> isReady, Metrics metrics, TimeProvider time, ILogger log)
{
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);
    public static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(1000);
    private static readonly TimeSpan[] s_repeats = [TimeSpan.Zero, TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(5)];
    private static readonly TimeSpan s_retry = TimeSpan.FromSeconds(5);
    private readonly PeerLiveness _peers = new(time, Timeout);
    private readonly Dictionary<IPAddress, Announcement> _announced = [];
    private readonly Dictionary<string, (ArpPort Port, Task Running)> _ports = new(StringComparer.Ordinal);
    private readonly Gauge _count = metrics.Gauge("hardway_load_balancer_announced_addresses", "LoadBalancer addresses that this node answers for");
    private readonly Counter _moves = metrics.Counter("hardway_load_balancer_takeovers_total", "LoadBalancer addresses that this node began to answer for");
    private volatile AnnouncementView _view = AnnouncementView.Empty;
    private string _lastProblem = "";

    private sealed class Announcement(ArpPort port, long since)
    {
        public ArpPort Port => port;

        public long Since => since;

        public int Repeats { get; set; }
    }

    public AnnouncementView View { set => _view = value; }

    public async Task RunAsync(CancellationToken cancel)
    {
        using var heartbeats = await OpenAsync(cancel).ConfigureAwait(false);
        var receiving = ReceiveAsync(heartbeats, cancel);
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            do
            {
                await TurnAsync(heartbeats, cancel).ConfigureAwait(false);
            }
            while (await timer.WaitForNextTickAsync(cancel).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            await SendAsync(heartbeats, _view, leaving: true).ConfigureAwait(false);
        }
        finally
        {
            foreach (var (port, running) in _ports.Values)
            {
                port.Dispose();
                await running.ConfigureAwait(false);
            }

            heartbeats.Dispose();
            await receiving.ConfigureAwait(false);
        }
    }

    /// <summary>Somebody else may have the port: Services must not suffer for that, so it is asked for again.</summary>
    private async Task<Socket> OpenAsync(CancellationToken cancel)
    {
        while (true)
        {
            try
            {
                return network.OpenHeartbeats();
            }
            catch (SocketException e)
            {
                Problem($"no socket for heartbeats on UDP {AnnouncerNetwork.HeartbeatPort}: {e.Message}");
                await Task.Delay(s_retry, time, cancel).ConfigureAwait(false);
            }
        }
    }

    private async Task TurnAsync(Socket heartbeats, CancellationToken cancel)
    {
        var view = _view;
        _peers.Expect([.. view.PeersOf(node)]);
        var ready = isReady();
        if (ready)
        {
            await SendAsync(heartbeats, view, leaving: false).ConfigureAwait(false);
        }

        var owned = (ready ? view.OwnedBy(node, _peers.IsAlive) : []).Where(a => a.Address.AddressFamily == AddressFamily.InterNetwork).ToDictionary(a => a.Address);
        foreach (var address in _announced.Keys.Where(a => !owned.ContainsKey(a)).ToList())
        {
            _announced[address].Port.Remove(address);
            _announced.Remove(address);
            Released(log, address);
        }

        foreach (var (address, what) in owned)
        {
            await AnnounceAsync(what, view.Nodes.GetValueOrDefault(node), cancel).ConfigureAwait(false);
        }

        _count.Set(_announced.Count);
    }

    private async Task AnnounceAsync(AnnouncedAddress what, IPAddress? nodeAddress, CancellationToken cancel)
    {
        try
        {
            if (!_announced.TryGetValue(what.Address, out var announcement))
            {
                if (network.InterfaceFor(what.Address, nodeAddress) is not { } name)
                {
                    Problem($"no interface of this node is in the network of {what.Address}");
                    return;
                }

                var port = Port(name);
                port.Add(what.Address);
                _announced[what.Address] = announcement = new(port, time.GetTimestamp());
                _moves.Inc();
                Announcing(log, what.Address, what.Service, name);
            }

            while (announcement.Repeats < s_repeats.Length && time.GetElapsedTime(announcement.Since) >= s_repeats[announcement.Repeats])
            {
                announcement.Repeats++;
                await announcement.Port.AnnounceAsync(what.Address, cancel).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is SocketException or System.Net.NetworkInformation.NetworkInformationException)
        {
            _announced.Remove(what.Address);
            Problem($"{what.Address}: {e.Message}");
        }
    }

    /// <summary>The interface's port; one whose interface went away is opened anew.</summary>
    private ArpPort Port(string name)
    {
        if (_ports.TryGetValue(name, out var known) && !known.Running.IsCompleted)
        {
            return known.Port;
        }

        known.Port?.Dispose();
        var port = network.OpenPort(name);
        _ports[name] = (port, port.RunAsync());
        return port;
    }

    private async Task SendAsync(Socket heartbeats, AnnouncementView view, bool leaving)
    {
        var message = Heartbeat.Write(node, leaving);
        foreach (var peer in view.PeersOf(node))
        {
            try
            {
                await heartbeats.SendToAsync(message, new IPEndPoint(view.Nodes[peer], AnnouncerNetwork.HeartbeatPort)).ConfigureAwait(false);
            }
            catch (SocketException)
            {
                // unreachable now: it will be missed, as it should be
            }
        }
    }

    private async Task ReceiveAsync(Socket heartbeats, CancellationToken cancel)
    {
        var buffer = new byte[512];
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                var from = await heartbeats.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), cancel).ConfigureAwait(false);
                if (Heartbeat.TryRead(buffer.AsSpan(0, from.ReceivedBytes), out var peer, out var leaving)
                    && _view.Nodes.TryGetValue(peer, out var place) && place.Equals(((IPEndPoint)from.RemoteEndPoint).Address))
                {
                    _peers.Heard(peer, leaving);
                }
            }
            catch (SocketException)
            {
                // an ICMP refusal of what was sent before, or a datagram that is too long
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private void Problem(string problem)
    {
        if (problem != _lastProblem)
        {
            _lastProblem = problem;
            NotAnnounced(log, problem);
        }
    }

    [LoggerMessage(LogLevel.Information, "This node answers for {Address} of {Service} on {Interface}")]
    private static partial void Announcing(ILogger logger, IPAddress address, string service, string @interface);

    [LoggerMessage(LogLevel.Information, "This node no longer answers for {Address}")]
    private static partial void Released(ILogger logger, IPAddress address);

    [LoggerMessage(LogLevel.Warning, "An address of a LoadBalancer cannot be announced: {Problem}")]
    private static partial void NotAnnounced(ILogger logger, string problem);
}
