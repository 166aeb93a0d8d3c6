using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using Hardway.Hosting;
using Hardway.Provisioning.Cluster;
using Hardway.Provisioning.ControlPlane;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Remote;
using Hardway.Provisioning.Ssh;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning;

/// <summary>One cluster as the steps see it: its machines, names, files and connections. Made for one run, and disposed at its end.</summary>
internal sealed class ClusterModel : IAsyncDisposable
{
    private readonly Dictionary<Machine, MachineSurvey> _surveys = [];
    private readonly ConcurrentDictionary<string, Lazy<string>> _hashes = new();

    public ClusterModel(ProvisioningOptions options)
    {
        Options = options;
        Files = new ClusterFiles(options.ClusterDirectory);
        Files.Create();
        SshPaths = new SshPaths(Files.Directory, options.Ssh.KeyType);
        SshPaths.Create();
        Transcript = new Transcript(Files.Transcript, options.Time);
        EtcdBootstrap = EtcdBootstrap.Read(Files.EtcdBootstrap);
        foreach (var machine in options.Machines.Machines)
        {
            _surveys[machine] = new MachineSurvey(new SshMachine(machine, options.Ssh, SshPaths, Transcript));
        }
    }

    public ProvisioningOptions Options { get; }

    public MachineDatabase Machines => Options.Machines;

    public ClusterFiles Files { get; }

    public SshPaths SshPaths { get; }

    public Transcript Transcript { get; }

    /// <summary>What etcd's members were first started with, as it was when this run began.</summary>
    public EtcdBootstrap EtcdBootstrap { get; }

    /// <summary>One member of etcd joins, or is started again, at a time.</summary>
    public Turns EtcdTurns { get; } = new();

    /// <summary>One API server that runs is started again at a time.</summary>
    public Turns ApiServerTurns { get; } = new();

    /// <summary>The name under which everybody finds the API.</summary>
    public string EndpointName => $"server.{Machines.Domain}";

    public string EndpointUrl => $"https://{EndpointName}:{ClusterAddresses.ApiPort}";

    public string BinaryHash => HashOf(Options.Binary);

    /// <summary>The network of all Pods: the tutorial's 10.200.0.0/16 where it covers every subnet, else the smallest that does.</summary>
    public IPNetwork PodRange { get => field == default ? field = PodRangeOf(Machines) : field; }

    public MachineSurvey SurveyOf(Machine machine) => _surveys[machine];

    public SshMachine SshTo(Machine machine) => _surveys[machine].Ssh;

    public string Certificate(string name) => ReadFile(Files.Certificate(name));

    public string Key(string name) => ReadFile(Files.Key(name));

    public string KubeconfigOf(string name) => ReadFile(Files.Kubeconfig(name));

    private static string ReadFile(string path) => File.Exists(path)
        ? File.ReadAllText(path)
        : throw new ComponentException($"{path} is not there yet: the steps certificates and configuration make it");

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_surveys.Values.Select(s => s.Ssh.DisposeAsync().AsTask())).ConfigureAwait(false);
        SshPaths.RemoveSockets();
        EtcdTurns.Dispose();
        ApiServerTurns.Dispose();
        Transcript.Dispose();
    }

    internal static IPNetwork PodRangeOf(MachineDatabase machines)
    {
        var subnets = machines.Machines.Where(m => m.PodSubnet is not null).Select(m => m.PodSubnet!.Value).ToList();
        var tutorial = IPNetwork.Parse("10.200.0.0/16");
        if (subnets.All(s => tutorial.Contains(s.BaseAddress) && s.PrefixLength >= 16))
        {
            return tutorial;
        }

        for (var length = subnets.Min(s => s.PrefixLength); ; length--)
        {
            var first = subnets[0].BaseAddress.GetAddressBytes();
            var bits = BinaryPrimitives.ReadUInt32BigEndian(first);
            var masked = length == 0 ? 0 : bits & (uint.MaxValue << (32 - length));
            var bytes = new byte[4];
            BinaryPrimitives.WriteUInt32BigEndian(bytes, masked);
            var candidate = new IPNetwork(new IPAddress(bytes), length);
            if (subnets.All(s => candidate.Contains(s.BaseAddress)))
            {
                return candidate;
            }
        }
    }

    /// <summary>SHA-256 of a large local file, in lower-case hexadecimal; read once a run.</summary>
    public string HashOf(string path) => _hashes.GetOrAdd(path, p => new Lazy<string>(() => ReadHash(p))).Value;

    private static string ReadHash(string path)
    {
        if (!File.Exists(path))
        {
            throw new ComponentException($"{path}: not there; it has to go to the machines");
        }

        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
