namespace Hardway.Oracle.Tests.Cluster;

/// <summary>The program under test: what `./hardway test` published and names, or what was built last in this checkout.</summary>
internal static class ProgramFile
{
    public static string Repository { get; } = FindRepository();

    public static string Path { get; } = Find();

    private static string Find()
    {
        if (Environment.GetEnvironmentVariable("HARDWAY") is { Length: > 0 } named) return named;
        string[] places = ["artifacts/bin/Hardway/release_linux-x64/hardway", "artifacts/bin/Hardway/release/hardway", "artifacts/program/hardway"];
        return places.Select(p => System.IO.Path.Combine(Repository, p)).Where(File.Exists).MaxBy(File.GetLastWriteTimeUtc)
            ?? throw new InvalidOperationException($"the program is not built in {Repository}: run ./hardway build");
    }

    private static string FindRepository()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(System.IO.Path.Combine(folder, "Hardway.slnx"))) folder = System.IO.Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("not below a checkout");
        return folder;
    }
}
