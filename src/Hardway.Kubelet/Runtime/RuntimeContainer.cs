using System.Globalization;

namespace Hardway.Kubelet.Runtime;

/// <summary>A container as the runtime has it: one attempt of one container of a Pod. Immutable.</summary>
internal sealed record RuntimeContainer(
    string Id, string SandboxId, string Name, uint Attempt, Cri.ContainerState State,
    DateTimeOffset CreatedAt, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt, int ExitCode,
    string Image, string ImageRef, string Reason, string Message, string Hash, string LogPath, string TerminationMessage)
{
    public bool IsRunning => State == Cri.ContainerState.ContainerRunning;

    public bool IsExited => State == Cri.ContainerState.ContainerExited;

    public static RuntimeContainer From(string sandboxId, Cri.ContainerStatus status, string terminationMessage) => new(
        status.Id, sandboxId, status.Metadata.Name, RestartCountOf(status), status.State,
        Time(status.CreatedAt) ?? DateTimeOffset.UnixEpoch, Time(status.StartedAt), Time(status.FinishedAt), status.ExitCode,
        status.Image?.Image ?? "", status.ImageRef, status.Reason, status.Message,
        status.Annotations.TryGetValue(RuntimeLabels.Hash, out var hash) ? hash : "", status.LogPath, terminationMessage);

    private static uint RestartCountOf(Cri.ContainerStatus status) =>
        status.Annotations.TryGetValue(RuntimeLabels.RestartCount, out var text) && uint.TryParse(text, CultureInfo.InvariantCulture, out var count) ? count : status.Metadata.Attempt;

    internal static DateTimeOffset? Time(long nanoseconds) => nanoseconds <= 0 ? null : DateTimeOffset.UnixEpoch.AddTicks(nanoseconds / 100);
}

/// <summary>A sandbox as the runtime has it. Immutable.</summary>
internal sealed record RuntimeSandbox(string Id, uint Attempt, bool IsReady, bool HostNetwork, DateTimeOffset CreatedAt, IReadOnlyList<string> Ips);
