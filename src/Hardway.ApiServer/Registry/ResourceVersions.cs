using System.Globalization;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Registry;

/// <summary>resourceVersions are the store's revisions as text.</summary>
internal static class ResourceVersions
{
    public static string Of(long revision) => revision.ToString(CultureInfo.InvariantCulture);

    public static long Parse(string text) =>
        TryParse(text, out var value) ? value : throw Statuses.Plain($"resourceVersion: \"{text}\" is not a version");

    public static bool TryParse(string text, out long value) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    public static ApiException TooLarge(long asked, long current) =>
        Statuses.Make(504, StatusReason.Timeout, $"Too large resource version: {asked}, current: {current}", new StatusDetails
        {
            RetryAfterSeconds = 1,
            Causes = [new StatusCause { Reason = "ResourceVersionTooLarge", Message = "Too large resource version" }],
        });
}
