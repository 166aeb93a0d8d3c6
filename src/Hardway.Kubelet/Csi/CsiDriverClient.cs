using Google.Protobuf;
using Hardway.Grpc;
using Hardway.Kubelet.Csi.Wire;

namespace Hardway.Kubelet.Csi;

/// <summary>The node service of one driver over its socket. Every call of it may be repeated. Safe for many threads; errors are <see cref="GrpcException"/>.</summary>
internal sealed class CsiDriverClient(string endpoint) : IDisposable
{
    private const string Node = "/csi.v1.Node/";
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);
    private readonly GrpcChannel _channel = GrpcChannel.ForAddress(endpoint);

    public void Dispose() => _channel.Dispose();

    public Task<NodeGetInfoResponse> InfoAsync(CancellationToken stop) => CallAsync("NodeGetInfo", new NodeGetInfoRequest(), NodeGetInfoResponse.Parser, stop);

    public async Task<IReadOnlySet<NodeServiceCapability.Types.RPC.Types.Type>> CapabilitiesAsync(CancellationToken stop) =>
        (await CallAsync("NodeGetCapabilities", new NodeGetCapabilitiesRequest(), NodeGetCapabilitiesResponse.Parser, stop)).Capabilities.Where(c => c.Rpc != null).Select(c => c.Rpc.Type).ToHashSet();

    public Task StageAsync(NodeStageVolumeRequest request, CancellationToken stop) => CallAsync("NodeStageVolume", request, NodeStageVolumeResponse.Parser, stop);

    public Task UnstageAsync(string volume, string staging, CancellationToken stop) =>
        CallAsync("NodeUnstageVolume", new NodeUnstageVolumeRequest { VolumeId = volume, StagingTargetPath = staging }, NodeUnstageVolumeResponse.Parser, stop);

    public Task PublishAsync(NodePublishVolumeRequest request, CancellationToken stop) => CallAsync("NodePublishVolume", request, NodePublishVolumeResponse.Parser, stop);

    public Task UnpublishAsync(string volume, string target, CancellationToken stop) =>
        CallAsync("NodeUnpublishVolume", new NodeUnpublishVolumeRequest { VolumeId = volume, TargetPath = target }, NodeUnpublishVolumeResponse.Parser, stop);

    private Task<TResponse> CallAsync<TRequest, TResponse>(string method, TRequest request, MessageParser<TResponse> parser, CancellationToken stop)
        where TRequest : IMessage
        where TResponse : IMessage<TResponse> => _channel.UnaryAsync(Node + method, request, parser, Deadline, stop);
}
