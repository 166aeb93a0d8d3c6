namespace Hardway.Scheduler.Framework;

/// <summary>The points where plugins take part, in the order of a Pod's way; MultiPoint stands for all that a plugin implements.</summary>
internal enum ExtensionPoint
{
    MultiPoint,
    PreEnqueue,
    QueueSort,
    PreFilter,
    Filter,
    PostFilter,
    PreScore,
    Score,
    Reserve,
    Permit,
    PreBind,
    Bind,
    PostBind,
}
