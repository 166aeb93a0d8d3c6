using Hardway.Hosting;
using Hardway.Lab.Images;
using Hardway.Lab.Progress;
using Hardway.Provisioning;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Ssh;

namespace Hardway.Lab.CommandLine;

/// <summary>What the commands share: where things are, which machines there are to be, and whether this host is to run them itself.</summary>
internal sealed record JumpboxSession(LabPaths Paths, TimeProvider Time)
{
    /// <summary>The tutorial's machines, as the lab has them unless another database is given.</summary>
    public const string LabDatabase = """
        10.240.0.60 lb.kubernetes.local       lb       -
        10.240.0.70 server-0.kubernetes.local server-0 -
        10.240.0.71 server-1.kubernetes.local server-1 -
        10.240.0.72 server-2.kubernetes.local server-2 -
        10.240.0.80 node-0.kubernetes.local   node-0   10.200.0.0/24
        10.240.0.81 node-1.kubernetes.local   node-1   10.200.1.0/24

        """;

    private const long PublishedSize = 10 << 20;

    public string ClusterDirectory => Path.Combine(Paths.Clusters, "default");

    /// <summary>The database that the last `up` used.</summary>
    private string KeptDatabase => Path.Combine(ClusterDirectory, "machines.txt");

    /// <summary>The machines of a file; without one those of the cluster that is there; else the tutorial's.</summary>
    public MachineDatabase Machines(string? file) => file is not null ? MachineDatabase.Read(file)
        : File.Exists(KeptDatabase) ? MachineDatabase.Read(KeptDatabase, changing: true)
        : MachineDatabase.Parse(LabDatabase, "the lab's machines");

    public MachineLab Lab(MachineDatabase machines) => new(Paths, new LabPlan([.. machines.Machines.Select(m => new LabMachine(m.HostName, m.Address))]), Time);

    public MachineLab Lab() => Lab(Machines(null));

    /// <summary>
    /// The published single file that machines get a copy of: the one this process was started from, or, when that is a development build (which needs a
    /// .NET that machines do not have), the one that HARDWAY_PROGRAM names.
    /// </summary>
    public static string Program
    {
        get
        {
            var program = Environment.GetEnvironmentVariable("HARDWAY_PROGRAM") is { Length: > 0 } named ? named : Environment.ProcessPath!;
            return File.Exists(program) && new FileInfo(program).Length > PublishedSize ? program
                : throw new ComponentException($"{program} is not the published program that machines need: run ./hardway build and set HARDWAY_PROGRAM to what it prints");
        }
    }

    /// <summary>What to provision and how to reach it.</summary>
    public ProvisioningOptions Provisioning(MachineDatabase machines, UpOptions options, IReadOnlyList<ImageArchive> images) => new()
    {
        Machines = machines,
        ClusterDirectory = ClusterDirectory,
        Binary = Program,
        Images = images,
        LoadBalancerPool = options.Lab ? UnusedAddresses(machines) : "",
        Ssh = options.Lab
            ? new SshOptions { FirstKey = Paths.SshKey, FirstKnownHosts = Paths.KnownHosts, KeyType = options.KeyType }
            : new SshOptions { User = options.User, FirstKey = options.Key, KeyType = options.KeyType, Password = options.Password ?? UserPassword.OfEnvironment() },
        Time = Time,
    };

    /// <summary>The lab's network is ours: .200 to .239 of it, unless machines have some of these.</summary>
    private static string UnusedAddresses(MachineDatabase machines)
    {
        const byte first = 200, last = 239;
        var network = machines.Machines[0].Address.GetAddressBytes();
        return machines.Machines.Any(m => m.Address.GetAddressBytes() is var a && a.AsSpan(0, 3).SequenceEqual(network.AsSpan(0, 3)) && a[3] is >= first and <= last)
            ? "" : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{network[0]}.{network[1]}.{network[2]}.{first}-{network[0]}.{network[1]}.{network[2]}.{last}");
    }

    /// <summary>The cluster that is there, reached as the last `up` did; an error when there is none.</summary>
    public ProvisioningOptions Kept()
    {
        if (!File.Exists(KeptDatabase)) throw new ComponentException($"there is no cluster yet: {KeptDatabase} does not exist. Run: hardway up");
        var options = Provisioning(Machines(null), new UpOptions { Lab = Access.Lab, User = Access.User }, []);
        // They were up when the cluster was made; one that is silent now is not just booting for the first time.
        return options with { Ssh = options.Ssh with { Patience = TimeSpan.FromSeconds(10) } };
    }

    /// <summary>How the last `up` reached the machines.</summary>
    public ClusterAccess Access => ClusterAccess.Read(ClusterDirectory);

    public ImageSet Images => new(Paths, Program, Time);

    public ProgressView View(OutputFormat format, MachineDatabase machines, bool lines = false) => ProgressView.Create(format, [.. machines.Machines.Select(m => m.HostName)], Time, lines);
}
