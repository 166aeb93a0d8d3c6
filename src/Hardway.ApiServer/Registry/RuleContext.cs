using Hardway.ApiServer.Http;

namespace Hardway.ApiServer.Registry;

/// <summary>What a kind's rules may know of the request that they judge.</summary>
internal sealed class RuleContext(RequestContext? request, UserInfo user, IResourceReader reader, DateTimeOffset now, bool dryRun)
{
    public UserInfo User { get; } = user;

    public IResourceReader Reader { get; } = reader;

    public DateTimeOffset Now { get; } = now;

    public bool DryRun { get; } = dryRun;

    /// <summary>Which subresource is written: "", status, scale, finalize, ephemeralcontainers, resize, approval.</summary>
    public string Subresource { get; init; } = "";

    /// <summary>Of a kind of several versions: the version that the client speaks.</summary>
    public string RequestVersion { get; init; } = "";

    public void Warn(string text) => request?.Warn(text);
}
