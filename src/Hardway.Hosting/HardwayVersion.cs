namespace Hardway.Hosting;

/// <summary>The Kubernetes version whose behaviour these programs have; build metadata marks whose build it is.</summary>
public static class HardwayVersion
{
    public const string Major = "1";
    public const string Minor = "36";
    public const string GitVersion = "v1.36.0+hardway";
}
