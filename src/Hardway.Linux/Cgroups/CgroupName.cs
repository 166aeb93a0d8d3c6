namespace Hardway.Linux.Cgroups;

/// <summary>
/// A cgroup's place as a list of names (kubepods, burstable, podUID), and how the two drivers write it:
/// cgroupfs as /kubepods/burstable/podUID, systemd as /kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podUID.slice.
/// </summary>
public sealed record CgroupName(params string[] Parts)
{
    public CgroupName Child(string name) => new([.. Parts, name]);

    public string CgroupfsPath => "/" + string.Join('/', Parts);

    /// <summary>The unit's name: a dash separates levels, so a dash inside a name becomes an underscore.</summary>
    public string SystemdSlice => Parts.Length == 0 ? "-.slice" : string.Join('-', Parts.Select(Escape)) + ".slice";

    public string SystemdPath
    {
        get
        {
            var path = "";
            for (var i = 1; i <= Parts.Length; i++)
                path += "/" + new CgroupName(Parts[..i]).SystemdSlice;
            return path.Length == 0 ? "/" : path;
        }
    }

    private static string Escape(string part) => part.Replace('-', '_');
}
