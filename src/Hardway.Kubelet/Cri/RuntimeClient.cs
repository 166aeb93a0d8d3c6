using System.Diagnostics;
using Google.Protobuf;
using Hardway.Grpc;
using Hardway.Kubelet.Stats;

namespace Hardway.Kubelet.Cri;

/// <summary>
/// The runtime's side of CRI v1: one method a call, each with the deadline that suits it. Safe for many threads (one HTTP/2
/// connection). Errors are <see cref="GrpcException"/>.
/// </summary>
internal sealed class RuntimeClient(GrpcChannel runtime, GrpcChannel images, TimeSpan timeout, KubeletMetrics metrics)
{
    private const string Runtime = "/runtime.v1.RuntimeService/", Images = "/runtime.v1.ImageService/";
    private static readonly TimeSpan PullDeadline = TimeSpan.FromHours(1);

    public Task<VersionResponse> VersionAsync(CancellationToken stop) => CallAsync("Version", new VersionRequest { Version = "v1" }, VersionResponse.Parser, stop);

    public Task<StatusResponse> StatusAsync(CancellationToken stop) => CallAsync("Status", new StatusRequest(), StatusResponse.Parser, stop);

    public Task UpdatePodCidrAsync(string podCidr, CancellationToken stop) => CallAsync(
        "UpdateRuntimeConfig", new UpdateRuntimeConfigRequest { RuntimeConfig = new RuntimeConfig { NetworkConfig = new NetworkConfig { PodCidr = podCidr } } }, UpdateRuntimeConfigResponse.Parser, stop);

    public async Task<string> RunPodSandboxAsync(PodSandboxConfig config, string handler, CancellationToken stop)
    {
        // Making a sandbox waits for the network plugin: twice the usual time.
        var response = await MeasuredAsync(runtime, Runtime, "RunPodSandbox", new RunPodSandboxRequest { Config = config, RuntimeHandler = handler }, RunPodSandboxResponse.Parser, timeout * 2, stop);
        return response.PodSandboxId;
    }

    public Task StopPodSandboxAsync(string id, CancellationToken stop) => CallAsync("StopPodSandbox", new StopPodSandboxRequest { PodSandboxId = id }, StopPodSandboxResponse.Parser, stop);

    public Task RemovePodSandboxAsync(string id, CancellationToken stop) => CallAsync("RemovePodSandbox", new RemovePodSandboxRequest { PodSandboxId = id }, RemovePodSandboxResponse.Parser, stop);

    public async Task<PodSandboxStatus> PodSandboxStatusAsync(string id, CancellationToken stop) =>
        (await CallAsync("PodSandboxStatus", new PodSandboxStatusRequest { PodSandboxId = id }, PodSandboxStatusResponse.Parser, stop)).Status;

    public async Task<IReadOnlyList<PodSandbox>> ListPodSandboxesAsync(PodSandboxFilter? filter, CancellationToken stop) =>
        (await CallAsync("ListPodSandbox", new ListPodSandboxRequest { Filter = filter }, ListPodSandboxResponse.Parser, stop)).Items;

    public async Task<string> CreateContainerAsync(string sandboxId, ContainerConfig config, PodSandboxConfig sandbox, CancellationToken stop) =>
        (await CallAsync("CreateContainer", new CreateContainerRequest { PodSandboxId = sandboxId, Config = config, SandboxConfig = sandbox }, CreateContainerResponse.Parser, stop)).ContainerId;

    public Task StartContainerAsync(string id, CancellationToken stop) => CallAsync("StartContainer", new StartContainerRequest { ContainerId = id }, StartContainerResponse.Parser, stop);

    public Task StopContainerAsync(string id, long graceSeconds, CancellationToken stop) => MeasuredAsync(
        runtime, Runtime, "StopContainer", new StopContainerRequest { ContainerId = id, Timeout = graceSeconds }, StopContainerResponse.Parser, timeout + TimeSpan.FromSeconds(graceSeconds), stop);

    public Task RemoveContainerAsync(string id, CancellationToken stop) => CallAsync("RemoveContainer", new RemoveContainerRequest { ContainerId = id }, RemoveContainerResponse.Parser, stop);

    public async Task<IReadOnlyList<Container>> ListContainersAsync(ContainerFilter? filter, CancellationToken stop) =>
        (await CallAsync("ListContainers", new ListContainersRequest { Filter = filter }, ListContainersResponse.Parser, stop)).Containers;

    public async Task<ContainerStatus> ContainerStatusAsync(string id, CancellationToken stop) =>
        (await CallAsync("ContainerStatus", new ContainerStatusRequest { ContainerId = id }, ContainerStatusResponse.Parser, stop)).Status;

    public Task UpdateContainerResourcesAsync(string id, LinuxContainerResources resources, CancellationToken stop) =>
        CallAsync("UpdateContainerResources", new UpdateContainerResourcesRequest { ContainerId = id, Linux = resources }, UpdateContainerResourcesResponse.Parser, stop);

    public Task ReopenContainerLogAsync(string id, CancellationToken stop) => CallAsync("ReopenContainerLog", new ReopenContainerLogRequest { ContainerId = id }, ReopenContainerLogResponse.Parser, stop);

    public Task<ExecSyncResponse> ExecSyncAsync(string id, IEnumerable<string> command, TimeSpan limit, CancellationToken stop)
    {
        var request = new ExecSyncRequest { ContainerId = id, Timeout = (long)limit.TotalSeconds };
        request.Cmd.Add(command);
        return MeasuredAsync(runtime, Runtime, "ExecSync", request, ExecSyncResponse.Parser, limit > TimeSpan.Zero ? limit + timeout : null, stop);
    }

    public async Task<string> ExecAsync(ExecRequest request, CancellationToken stop) => (await CallAsync("Exec", request, ExecResponse.Parser, stop)).Url;

    public async Task<string> AttachAsync(AttachRequest request, CancellationToken stop) => (await CallAsync("Attach", request, AttachResponse.Parser, stop)).Url;

    public async Task<string> PortForwardAsync(PortForwardRequest request, CancellationToken stop) => (await CallAsync("PortForward", request, PortForwardResponse.Parser, stop)).Url;

    public async Task<IReadOnlyList<ContainerStats>> ListContainerStatsAsync(CancellationToken stop) =>
        (await CallAsync("ListContainerStats", new ListContainerStatsRequest(), ListContainerStatsResponse.Parser, stop)).Stats;

    /// <summary>Bytes of memory that a container works with; null when the runtime does not know.</summary>
    public async Task<long?> MemoryUsageAsync(string id, CancellationToken stop)
    {
        var stats = await CallAsync("ListContainerStats", new ListContainerStatsRequest { Filter = new ContainerStatsFilter { Id = id } }, ListContainerStatsResponse.Parser, stop);
        return (long?)stats.Stats.FirstOrDefault()?.Memory?.WorkingSetBytes?.Value;
    }

    public async Task<IReadOnlyList<Image>> ListImagesAsync(CancellationToken stop) => (await CallImageAsync("ListImages", new ListImagesRequest(), ListImagesResponse.Parser, stop)).Images;

    /// <summary>Null: the image is not on this node.</summary>
    public async Task<Image?> ImageStatusAsync(string image, CancellationToken stop) =>
        (await CallImageAsync("ImageStatus", new ImageStatusRequest { Image = new ImageSpec { Image = image } }, ImageStatusResponse.Parser, stop)).Image;

    public async Task<string> PullImageAsync(string image, AuthConfig? auth, PodSandboxConfig sandbox, CancellationToken stop) =>
        (await MeasuredAsync(images, Images, "PullImage", new PullImageRequest { Image = new ImageSpec { Image = image }, Auth = auth, SandboxConfig = sandbox }, PullImageResponse.Parser, PullDeadline, stop)).ImageRef;

    public Task RemoveImageAsync(string image, CancellationToken stop) => CallImageAsync("RemoveImage", new RemoveImageRequest { Image = new ImageSpec { Image = image } }, RemoveImageResponse.Parser, stop);

    public Task<ImageFsInfoResponse> ImageFsInfoAsync(CancellationToken stop) => CallImageAsync("ImageFsInfo", new ImageFsInfoRequest(), ImageFsInfoResponse.Parser, stop);

    private Task<TResponse> CallAsync<TRequest, TResponse>(string method, TRequest request, MessageParser<TResponse> parser, CancellationToken stop)
        where TRequest : IMessage
        where TResponse : IMessage<TResponse> => MeasuredAsync(runtime, Runtime, method, request, parser, timeout, stop);

    private Task<TResponse> CallImageAsync<TRequest, TResponse>(string method, TRequest request, MessageParser<TResponse> parser, CancellationToken stop)
        where TRequest : IMessage
        where TResponse : IMessage<TResponse> => MeasuredAsync(images, Images, method, request, parser, timeout, stop);

    private async Task<TResponse> MeasuredAsync<TRequest, TResponse>(GrpcChannel channel, string service, string method, TRequest request, MessageParser<TResponse> parser, TimeSpan? limit, CancellationToken stop)
        where TRequest : IMessage
        where TResponse : IMessage<TResponse>
    {
        var start = Stopwatch.GetTimestamp();
        metrics.RuntimeOperations.Inc(method);
        try
        {
            return await channel.UnaryAsync(service + method, request, parser, limit, stop);
        }
        catch (GrpcException)
        {
            metrics.RuntimeErrors.Inc(method);
            throw;
        }
        finally
        {
            metrics.RuntimeDuration.Observe(Stopwatch.GetElapsedTime(start), method);
        }
    }
}
