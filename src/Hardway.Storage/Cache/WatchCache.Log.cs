using Microsoft.Extensions.Logging;

namespace Hardway.Storage.Cache;

public sealed partial class WatchCache
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Watch cache loaded: {Objects} objects at revision {Revision}")]
    private partial void LogLoaded(int objects, long revision);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Watch on the store ended at revision {Revision}, will resume: {Reason}")]
    private partial void LogInterrupted(long revision, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Watch cache is loaded anew, all watches end: {Reason}")]
    private partial void LogReset(string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Stored value of {Key} cannot be read: {Reason}")]
    private partial void LogUnreadable(string key, string reason);

    [LoggerMessage(Level = LogLevel.Debug, Message = "A watcher of {Prefix} ended: {Why}")]
    private partial void LogWatcherEnded(string prefix, CacheWatchEnd why);
}
