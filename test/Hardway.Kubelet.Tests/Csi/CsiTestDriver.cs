using System.Buffers.Binary;
using System.Collections.Concurrent;
using Google.Protobuf;
using Hardway.Kubelet.Csi.Wire;
using Hardway.Linux.Mounts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Hardway.Kubelet.Tests.Csi;

/// <summary>
/// A CSI driver over gRPC on a unix socket: a volume is a directory of its own, staged and published by real bind mounts. Notes its calls, and fails those that it is
/// told to fail.
/// </summary>
internal sealed class CsiTestDriver : IAsyncDisposable
{
    public const string Name = "test.csi.hardway";
    private readonly string _volumes;
    private readonly WebApplication _app;

    private CsiTestDriver(string volumes, WebApplication app) => (_volumes, _app) = (volumes, app);

    public ConcurrentQueue<string> Calls { get; } = [];

    public string? Fail { get; set; }

    public NodePublishVolumeRequest? Published { get; private set; }

    public RegistrationStatus? Registered { get; private set; }

    public static async Task<CsiTestDriver> StartAsync(string socket, string volumes)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.ListenUnixSocket(socket, l => l.Protocols = HttpProtocols.Http2));
        var app = builder.Build();
        var driver = new CsiTestDriver(volumes, app);
        app.Run(driver.HandleAsync);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return driver;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task HandleAsync(HttpContext context)
    {
        var method = context.Request.Path.Value!.Split('/')[^1];
        var prefix = new byte[5];
        await context.Request.Body.ReadExactlyAsync(prefix);
        var body = new byte[BinaryPrimitives.ReadInt32BigEndian(prefix.AsSpan(1))];
        await context.Request.Body.ReadExactlyAsync(body);
        Calls.Enqueue(method);
        context.Response.ContentType = "application/grpc";
        var trailers = context.Features.Get<IHttpResponseTrailersFeature>()!.Trailers;
        if (Fail == method)
        {
            (trailers["grpc-status"], trailers["grpc-message"]) = ("13", "told to fail");
            return;
        }
        var answer = Answer(method, body).ToByteArray();
        var frame = new byte[5 + answer.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), answer.Length);
        answer.CopyTo(frame, 5);
        await context.Response.Body.WriteAsync(frame);
        trailers["grpc-status"] = "0";
    }

    private IMessage Answer(string method, byte[] body)
    {
        switch (method)
        {
            case "GetInfo":
                return new PluginInfo { Type = "CSIPlugin", Name = Name, SupportedVersions = { "1.0.0" } };
            case "NotifyRegistrationStatus":
                Registered = RegistrationStatus.Parser.ParseFrom(body);
                return new RegistrationStatusResponse();
            case "NodeGetInfo":
                return new NodeGetInfoResponse { NodeId = "id-of-n", MaxVolumesPerNode = 7, AccessibleTopology = new Topology { Segments = { ["topology.test/zone"] = "z1" } } };
            case "NodeGetCapabilities":
                return new NodeGetCapabilitiesResponse { Capabilities = { new NodeServiceCapability { Rpc = new() { Type = NodeServiceCapability.Types.RPC.Types.Type.StageUnstageVolume } } } };
            case "NodeStageVolume":
                var stage = NodeStageVolumeRequest.Parser.ParseFrom(body);
                Directory.CreateDirectory($"{_volumes}/{stage.VolumeId}");
                if (!MountTable.IsMountPoint(stage.StagingTargetPath))
                    Mounter.Bind($"{_volumes}/{stage.VolumeId}", stage.StagingTargetPath, false);
                return new NodeStageVolumeResponse();
            case "NodePublishVolume":
                Published = NodePublishVolumeRequest.Parser.ParseFrom(body);
                Directory.CreateDirectory(Published.TargetPath);
                Mounter.Bind(Published.StagingTargetPath, Published.TargetPath, false);
                return new NodePublishVolumeResponse();
            case "NodeUnpublishVolume":
                var unpublish = NodeUnpublishVolumeRequest.Parser.ParseFrom(body);
                Mounter.UnmountBelow(unpublish.TargetPath);
                return new NodeUnpublishVolumeResponse();
            case "NodeUnstageVolume":
                Mounter.UnmountBelow(NodeUnstageVolumeRequest.Parser.ParseFrom(body).StagingTargetPath);
                return new NodeUnstageVolumeResponse();
            default:
                throw new InvalidOperationException(method);
        }
    }
}
