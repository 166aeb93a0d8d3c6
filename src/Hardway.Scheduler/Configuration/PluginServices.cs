using Hardway.Scheduler.Plugins.Volumes;
using Hardway.Scheduler.Scheduling;

namespace Hardway.Scheduler.Configuration;

/// <summary>What plugins write with, and chance.</summary>
internal sealed record PluginServices(IPodWriter Pods, Func<TimeSpan, IVolumeBinder> Volumes, Random Random);
