using System.Runtime.CompilerServices;

namespace Hardway.Proxy.Tests;

/// <summary>Compares text with a file in Golden/. HARDWAY_GOLDEN=write rewrites the files: read the difference before it is committed.</summary>
internal static class Golden
{
    public static void Same(string name, string actual, [CallerFilePath] string source = "")
    {
        var file = Path.Combine(Path.GetDirectoryName(source)!, "Golden", name);
        if (Environment.GetEnvironmentVariable("HARDWAY_GOLDEN") == "write")
        {
            File.WriteAllText(file, actual);
        }

        Assert.Equal(File.ReadAllText(file), actual);
    }
}
