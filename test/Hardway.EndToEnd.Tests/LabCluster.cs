namespace Hardway.EndToEnd.Tests;

/// <summary>A cluster in the lab, brought up once for all tests and taken down at the end; the taking down is part of what is tested.</summary>
public sealed class LabCluster : IAsyncLifetime
{
    public async ValueTask InitializeAsync()
    {
        (await Tool.HardwayAsync("down")).Good();
        var up = await Tool.HardwayAsync("up");
        up.Good();
        UpOutput = up.Output;
    }

    public string UpOutput { get; private set; } = "";

    public async ValueTask DisposeAsync()
    {
        (await Tool.HardwayAsync("down")).Good();
        Assert.DoesNotContain("hardway begin", await File.ReadAllTextAsync("/etc/hosts"), StringComparison.Ordinal);
        var links = await Tool.RunAsync("ip", ["-o", "link"], null, TimeSpan.FromSeconds(10));
        Assert.DoesNotContain("hw0", links.Good(), StringComparison.Ordinal);
    }
}

[CollectionDefinition(Name)]
public sealed class LabCollection : ICollectionFixture<LabCluster>
{
    public const string Name = "lab";
}
