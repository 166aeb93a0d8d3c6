namespace Hardway.Cel;

/// <summary>Values of the libraries' own types, for hosts that put them into variables.</summary>
public static class CelTypes
{
    /// <summary>Null when the text is no semantic version.</summary>
    public static object? SemVer(string text) => Functions.SemVer.TryParse(text);
}
