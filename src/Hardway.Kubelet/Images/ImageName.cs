using System.Text.RegularExpressions;

namespace Hardway.Kubelet.Images;

/// <summary>Image references: [registry/]path[:tag][@digest].</summary>
internal static partial class ImageName
{
    [GeneratedRegex("^([a-zA-Z0-9][a-zA-Z0-9._-]*(:[0-9]{1,5})?/)?[a-zA-Z0-9][a-zA-Z0-9._-]*(/[a-zA-Z0-9][a-zA-Z0-9._-]*)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@[a-z0-9]+([+._-][a-z0-9]+)*:[a-fA-F0-9]{32,})?$", RegexOptions.NonBacktracking)]
    private static partial Regex Reference();

    /// <summary>The reference with :latest added when it has neither tag nor digest; null when it is none.</summary>
    public static string? Normalize(string image)
    {
        if (image.Length is 0 or > 4096 || !Reference().IsMatch(image))
            return null;
        return HasTag(image) || image.Contains('@', StringComparison.Ordinal) ? image : image + ":latest";
    }

    public static bool IsLatest(string normalized) => normalized.EndsWith(":latest", StringComparison.Ordinal);

    /// <summary>The registry's host as docker's configuration names it.</summary>
    public static string Registry(string image)
    {
        var slash = image.IndexOf('/', StringComparison.Ordinal);
        var first = slash < 0 ? "" : image[..slash];
        return first.Contains('.', StringComparison.Ordinal) || first.Contains(':', StringComparison.Ordinal) || first == "localhost" ? first : "docker.io";
    }

    private static bool HasTag(string image) => image.LastIndexOf(':') > image.LastIndexOf('/');
}
