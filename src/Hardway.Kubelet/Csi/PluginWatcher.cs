using Google.Protobuf;
using Hardway.Client;
using Hardway.Grpc;
using Hardway.Kubelet.Csi.Wire;
using Hardway.Linux.Files;
using Microsoft.Extensions.Logging;

namespace Hardway.Kubelet.Csi;

/// <summary>
/// Finds drivers by their sockets in the plugins_registry directory, looked at every second: 1. the plugin says what it is and where it
/// serves, 2. the driver says what this node is to it, 3. the API is told (CSINode), 4. the plugin is told how that went. A socket
/// that goes away takes its driver with it. What fails is tried again after a while.
/// </summary>
internal sealed partial class PluginWatcher(string directory, CsiDrivers drivers, CsiNodeWriter? node, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1), Retry = TimeSpan.FromSeconds(5), Deadline = TimeSpan.FromSeconds(10);
    private readonly Dictionary<string, Registration> _known = new(StringComparer.Ordinal);

    /// <summary>Name is null while it has not worked out.</summary>
    private sealed record Registration(DateTime Made, string? Name, DateTimeOffset Again);

    public async Task RunAsync(CancellationToken stop)
    {
        Directory.CreateDirectory(directory);
        using var timer = new PeriodicTimer(Period, time);
        do
            await ScanAsync(stop);
        while (await timer.WaitForNextTickAsync(stop));
    }

    internal async Task ScanAsync(CancellationToken stop)
    {
        var sockets = Directory.EnumerateFileSystemEntries(directory, "*", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 3, AttributesToSkip = 0 })
            .Where(p => !Path.GetFileName(p).StartsWith('.') && FileKind.Of(p) == UnixFileKind.Socket).ToHashSet(StringComparer.Ordinal);
        foreach (var socket in sockets)
        {
            var made = File.GetLastWriteTimeUtc(socket);
            if (_known.TryGetValue(socket, out var known) && known.Made == made && (known.Name != null || time.GetUtcNow() < known.Again))
                continue;
            _known[socket] = new Registration(made, await TryRegisterAsync(socket, stop), time.GetUtcNow() + Retry);
        }
        foreach (var (gone, registration) in _known.Where(k => !sockets.Contains(k.Key)).ToList())
        {
            _known.Remove(gone);
            if (registration.Name != null && !_known.Values.Any(k => k.Name == registration.Name))
                await RemoveAsync(registration.Name, stop);
        }
    }

    private async Task<string?> TryRegisterAsync(string socket, CancellationToken stop)
    {
        using var channel = GrpcChannel.ForAddress(socket);
        string? problem = null;
        string? name = null;
        try
        {
            // 1.
            var info = await CallAsync(channel, "GetInfo", new InfoRequest(), PluginInfo.Parser, stop);
            name = info.Name;
            problem = Refused(info) ?? await RegisterAsync(info, socket, stop);
            // 4.
            await CallAsync(channel, "NotifyRegistrationStatus", new RegistrationStatus { PluginRegistered = problem == null, Error = problem ?? "" }, RegistrationStatusResponse.Parser, stop);
        }
        catch (GrpcException e)
        {
            problem ??= e.Detail;
        }
        if (problem == null)
            return name;
        LogRefused(log, socket, problem);
        return null;
    }

    private static string? Refused(PluginInfo info) =>
        info.Type != "CSIPlugin" ? $"plugins of type '{info.Type}' are not supported; CSIPlugin is"
        : info.Name.Length is 0 or > 63 || info.Name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '_')) ? $"'{info.Name}' is not a name of a driver"
        : !info.SupportedVersions.Any(v => v.TrimStart('v').StartsWith("1.", StringComparison.Ordinal) || v.TrimStart('v') == "1") ? $"none of its versions ({string.Join(", ", info.SupportedVersions)}) is CSI 1"
        : null;

    /// <summary>Null when the driver is registered, otherwise why not.</summary>
    private async Task<string?> RegisterAsync(PluginInfo info, string socket, CancellationToken stop)
    {
        var client = new CsiDriverClient(info.Endpoint.Length > 0 ? info.Endpoint : socket);
        try
        {
            // 2.
            var driver = new CsiDriver(info.Name, client, await client.InfoAsync(stop), await client.CapabilitiesAsync(stop));
            // 3.
            if (node != null)
                await node.AddAsync(driver, stop);
            drivers.Put(driver);
            LogRegistered(log, info.Name, driver.Info.NodeId);
            return null;
        }
        catch (Exception e) when (e is GrpcException or ApiException or HttpRequestException)
        {
            client.Dispose();
            return e is GrpcException grpc ? grpc.Detail : e.Message;
        }
    }

    private async Task RemoveAsync(string name, CancellationToken stop)
    {
        drivers.Remove(name);
        LogRemoved(log, name);
        try
        {
            if (node != null)
                await node.RemoveAsync(name, stop);
        }
        catch (Exception e) when (e is ApiException or HttpRequestException)
        {
            LogRefused(log, name, e.Message);
        }
    }

    private static Task<TResponse> CallAsync<TRequest, TResponse>(GrpcChannel channel, string method, TRequest request, MessageParser<TResponse> parser, CancellationToken stop)
        where TRequest : IMessage
        where TResponse : IMessage<TResponse> => channel.UnaryAsync("/pluginregistration.Registration/" + method, request, parser, Deadline, stop);

    [LoggerMessage(Level = LogLevel.Information, Message = "CSI driver {Driver} is registered, this node is {NodeId} to it")]
    private static partial void LogRegistered(ILogger log, string driver, string nodeId);

    [LoggerMessage(Level = LogLevel.Information, Message = "CSI driver {Driver} is gone")]
    private static partial void LogRemoved(ILogger log, string driver);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The plugin at {Socket} is not registered: {Reason}")]
    private static partial void LogRefused(ILogger log, string socket, string reason);
}
