using Hardway.Api;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Allocation;

/// <summary>Gives out what is scarce in the cluster (Service addresses, node ports) before an object is stored.</summary>
internal interface IAllocator
{
    bool Handles(ResourceRegistry registry);

    ValueTask<Allocation> OnCreateAsync(KubeObject value, RuleContext context, CancellationToken cancellationToken);

    ValueTask<Allocation> OnUpdateAsync(KubeObject value, KubeObject old, RuleContext context, CancellationToken cancellationToken);

    /// <summary>The object has gone: its allocations are free again.</summary>
    ValueTask OnDeleteAsync(KubeObject value, CancellationToken cancellationToken);
}

/// <summary>What was given out for one write: kept when the write was stored, given back when it was not.</summary>
internal sealed class Allocation(Func<ValueTask>? giveBack, Func<ValueTask>? afterwards = null) : IAsyncDisposable
{
    public static Allocation None => new(null);

    private bool _kept;

    public void Keep() => _kept = true;

    public async ValueTask DisposeAsync()
    {
        if ((_kept ? afterwards : giveBack) is { } last)
        {
            await last().ConfigureAwait(false);
        }
    }
}

internal sealed class AllocatorSet(params IReadOnlyList<IAllocator> allocators)
{
    public ValueTask<Allocation> OnCreateAsync(ResourceRegistry registry, KubeObject value, RuleContext context, CancellationToken cancellationToken) =>
        Find(registry)?.OnCreateAsync(value, context, cancellationToken) ?? ValueTask.FromResult(Allocation.None);

    public ValueTask<Allocation> OnUpdateAsync(ResourceRegistry registry, KubeObject value, KubeObject old, RuleContext context, CancellationToken cancellationToken) =>
        Find(registry)?.OnUpdateAsync(value, old, context, cancellationToken) ?? ValueTask.FromResult(Allocation.None);

    public ValueTask OnDeleteAsync(ResourceRegistry registry, KubeObject value, CancellationToken cancellationToken) =>
        Find(registry)?.OnDeleteAsync(value, cancellationToken) ?? ValueTask.CompletedTask;

    private IAllocator? Find(ResourceRegistry registry) => allocators.FirstOrDefault(a => a.Handles(registry));
}
