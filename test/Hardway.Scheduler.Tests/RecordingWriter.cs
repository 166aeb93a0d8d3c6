using System.Collections.Concurrent;
using Hardway.Scheduler.Framework;
using Hardway.Scheduler.Plugins.Volumes;
using Hardway.Scheduler.Scheduling;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Tests;

/// <summary>An API that keeps what it was told.</summary>
internal sealed class RecordingWriter : IPodWriter
{
    public ConcurrentDictionary<string, string> Bindings { get; } = new();
    public List<string> Told { get; } = [];
    public List<string> Preempted { get; } = [];
    public List<string> Cleared { get; } = [];
    public Func<PodInfo, Task>? OnBind { get; set; }
    public Func<PodInfo, Task>? OnPreempt { get; set; }

    public async Task BindAsync(PodInfo pod, string node, CancellationToken cancel)
    {
        await (OnBind?.Invoke(pod) ?? Task.CompletedTask);
        Bindings[pod.Key] = node;
    }

    public void Bound(PodInfo pod, string node)
    {
    }

    public Task UnschedulableAsync(PodInfo pod, string reason, string message, string? nominatedNode, CancellationToken cancel)
    {
        Told.Add($"{pod.Key}: {message}{(nominatedNode is null ? "" : " -> " + nominatedNode)}");
        return Task.CompletedTask;
    }

    public async Task PreemptAsync(PodInfo victim, PodInfo preemptor, string node, CancellationToken cancel)
    {
        await (OnPreempt?.Invoke(victim) ?? Task.CompletedTask);
        Preempted.Add(victim.Key);
    }

    public Task ClearNominationAsync(PodInfo pod, CancellationToken cancel)
    {
        Cleared.Add(pod.Key);
        return Task.CompletedTask;
    }
}

/// <summary>Claims that are bound as soon as they are chosen for.</summary>
internal sealed class RecordingBinder : IVolumeBinder
{
    public List<string> Choices { get; } = [];

    public Task<Refusal?> BindAsync(PodInfo pod, string node, IReadOnlyList<VolumeChoice> choices, CancellationToken cancel)
    {
        Choices.AddRange(choices.Select(c => $"{c.Claim.Metadata.Name}={c.Volume?.Metadata.Name ?? node}"));
        return Task.FromResult<Refusal?>(null);
    }
}
