using Hardway.Api.Core.V1;
using Hardway.Client;
using Hardway.Hosting;
using Hardway.Kubelet.Backoff;
using Hardway.Kubelet.Cgroups;
using Hardway.Kubelet.Configuration;
using Hardway.Kubelet.Containers;
using Hardway.Kubelet.Cri;
using Hardway.Kubelet.Csi;
using Hardway.Kubelet.Events;
using Hardway.Kubelet.Eviction;
using Hardway.Kubelet.Housekeeping;
using Hardway.Kubelet.Images;
using Hardway.Kubelet.Lifecycle;
using Hardway.Kubelet.Nodes;
using Hardway.Kubelet.Pleg;
using Hardway.Kubelet.Pods;
using Hardway.Kubelet.Probes;
using Hardway.Kubelet.Qos;
using Hardway.Kubelet.Resizing;
using Hardway.Kubelet.Runtime;
using Hardway.Kubelet.Sandboxes;
using Hardway.Kubelet.Server;
using Hardway.Kubelet.Sources;
using Hardway.Kubelet.Stats;
using Hardway.Kubelet.Status;
using Hardway.Kubelet.Volumes;
using Hardway.Linux.Cgroups;
using Hardway.Linux.Systemd;
using Microsoft.Extensions.Logging;

namespace Hardway.Kubelet;

/// <summary>Puts the kubelet's parts together; the only place that knows them all. Owns what is to be disposed of.</summary>
internal sealed class KubeletParts : IDisposable
{
    private readonly KubeletConfig _config;
    private readonly NodeFacts _facts;
    private readonly RuntimeClient _runtime;
    private readonly KubeClient? _client;
    private readonly ILoggerFactory _logs;
    private readonly TimeProvider _time;
    private readonly string _root;
    private readonly Metrics _metrics;
    private readonly HttpProber _http = new();
    private readonly Informer<Pod>? _pods;
    private readonly Informer<Service>? _services;
    private readonly EventRecorder? _recorder;
    private readonly WorkQueue _statusQueue;
    private readonly ImagePuller _images;
    private readonly UsageSampler _sampler;
    private readonly RuntimeReader _reader;
    private readonly StatusWriter _status;
    private readonly PodCgroups _cgroupNames;
    private readonly IPodCgroupDriver _cgroups;
    private readonly PodWorkers _workers;
    private readonly StaticPods _statics;
    private readonly PodLifecycleEvents _pleg;
    private readonly Leftovers _leftovers;
    private readonly CgroupHierarchy _hierarchy = CgroupHierarchy.Detect();
    private readonly PressureState _pressure;
    private readonly EvictionLoop _eviction;
    private readonly ImageCollection _imageCollection;
    private readonly CsiDrivers _drivers = new();
    private readonly CsiVolumes _csi;
    private readonly PodDirectories _directories;
    private readonly ObjectWatches<ConfigMap>? _configMaps;
    private readonly ObjectWatches<Secret>? _secrets;
    private readonly ProbeMetrics _probeMetrics = new();
    private NodeReporter? _reporter;

    public KubeletParts(KubeletOptions options, KubeletConfig config, NodeFacts facts, RuntimeClient runtime, KubeClient? client, Metrics registry, KubeletMetrics metrics, ILoggerFactory logs, TimeProvider time)
    {
        (_config, _facts, _runtime, _client, _logs, _time, _root) = (config, facts, runtime, client, logs, time, options.RootDirectory);
        _metrics = registry;
        if (client != null)
        {
            _pods = new Informer<Pod>(client, logs, new InformerOptions { FieldSelector = "spec.nodeName=" + facts.Name });
            _services = new Informer<Service>(client, logs);
            _recorder = new EventRecorder(client, "kubelet", logs, facts.Name);
            if (config.ChangeDetectionStrategy == "Watch")
            {
                _configMaps = new ObjectWatches<ConfigMap>(client, logs, uid => _workers!.DataChanged(uid));
                _secrets = new ObjectWatches<Secret>(client, logs, uid => _workers!.DataChanged(uid));
            }
        }
        _pressure = new PressureState(EvictionConfig.Thresholds(config), config.EvictionPressureTransitionPeriod, time);
        var events = new PodEvents(_recorder, logs.CreateLogger("Events"));
        var objects = new ApiObjects(client, _configMaps, _secrets, facts.Name);
        var directories = _directories = new PodDirectories(_root);
        var hooks = new HookRunner(runtime, _http, time);
        _statusQueue = new WorkQueue("pod_status", time, _metrics);
        _reader = new RuntimeReader(runtime);
        _cgroupNames = new PodCgroups(config);
        _cgroups = config.SystemdCgroups ? new SystemdDriver(new SystemdClient(), _hierarchy) : new CgroupfsDriver(_hierarchy);
        _images = new ImagePuller(runtime, new PullSecrets(objects), events, time, config.SerializeImagePulls ? 1 : config.MaxParallelImagePulls > 0 ? config.MaxParallelImagePulls : 1000);
        _status = new StatusWriter(client, _statusQueue, pod => _pods == null ? null : ApiPods.Find(_pods, pod), logs.CreateLogger("Status"));
        _sampler = new UsageSampler(runtime, time);
        var data = new ProjectedData(objects, facts, time);
        _csi = new CsiVolumes(_drivers, objects, directories, facts.Name);
        var sandboxes = new SandboxConfigBuilder(config, facts, _cgroupNames);
        var volumes = new VolumeSet(directories, data, new ImageVolumes(_images, sandboxes, facts.Runtime), new PersistentVolumes(new ClaimResolver(objects), _csi, objects, directories), _csi, facts, time);
        var allocations = new PodAllocations(directories);
        _workers = new PodWorkers(new PodServices
        {
            Config = config,
            Node = facts,
            Runtime = runtime,
            Reader = _reader,
            Sandboxes = sandboxes,
            Starter = new ContainerStarter(
                runtime, _images, new EnvironmentBuilder(objects, facts), new MountBuilder(directories), hooks, events, config, facts, directories,
                () => _services?.Store.List() ?? [], _hierarchy.IsUnified),
            Killer = new ContainerKiller(runtime, hooks, events, time),
            Images = _images,
            Volumes = volumes,
            Data = data,
            Directories = directories,
            CgroupNames = _cgroupNames,
            Cgroups = _cgroups,
            Prober = new Prober(runtime, _http, _probeMetrics),
            Status = _status,
            Events = events,
            Deleter = new PodDeleter(client),
            Admission = new AdmissionCheck(facts, config.AllowedUnsafeSysctls, () => _pressure.Conditions),
            Allocations = allocations,
            Resizer = new ContainerResizer(runtime, _cgroupNames, _cgroups, events, config, facts, _hierarchy.IsUnified),
            Objects = objects,
            Restarts = new BackoffTable(TimeSpan.FromSeconds(10), config.MaxContainerRestartPeriod, time),
            Metrics = metrics,
            Time = time,
            Log = logs.CreateLogger("Pods"),
        });
        _statics = new StaticPods(config.StaticPodPath, facts.Name, _workers, config.FileCheckFrequency, time, logs.CreateLogger("StaticPods"));
        _pleg = new PodLifecycleEvents(runtime, _workers, SourcesReady, metrics, time, logs.CreateLogger("PLEG"));
        _leftovers = new Leftovers(_workers, volumes, _csi, directories, _cgroupNames, _cgroups, _hierarchy, config, SourcesReady, time, logs.CreateLogger("Leftovers"));
        _imageCollection = new ImageCollection(runtime, config, time, logs.CreateLogger("Images"));
        _eviction = new EvictionLoop(
            _pressure, new NodeReadings(runtime, facts, _root, _hierarchy, _cgroupNames), new ConsumptionReader(_sampler, directories, _cgroupNames, _hierarchy, config), _workers, _imageCollection,
            new ContainerCollection(runtime, _workers), config, () => _reporter?.ReportSoon(), time, logs.CreateLogger("Eviction"));
    }

    public void Dispose()
    {
        _sampler.Dispose();
        _drivers.Dispose();
        _configMaps?.Dispose();
        _secrets?.Dispose();
        _images.Dispose();
        _statusQueue.Dispose();
        _http.Dispose();
    }

    public ComponentHost Stages(IReadOnlyDictionary<string, string> labels, IReadOnlyList<Taint> taints)
    {
        var health = new HealthChecks();
        health.Add("syncloop", () => _pleg.Health());
        var healthz = new ServingHost("kubelet-healthz", new ServingOptions { BindAddress = System.Net.IPAddress.Parse(_config.HealthzBindAddress), Port = _config.HealthzPort, Https = false }, health, _metrics, _logs, _time);
        var server = Server();
        var host = new ComponentHost("kubelet", _logs, _time)
            .Add("health", healthz.RunAsync, healthz.StartAsync)
            .Add("server", server.RunAsync, server.StartAsync)
            .AddInit("cgroups", new NodeCgroups(_config, _facts, _cgroupNames, _cgroups, _hierarchy).EnsureAsync);
        if (_client != null)
            AddApiStages(host, _client, labels, taints);
        return host
            .Add("workers", _workers.RunAsync)
            .Add("static pods", RunStaticsAsync)
            .Add("pleg", _pleg.RunAsync)
            .Add("leftovers", _leftovers.RunAsync)
            .Add("log rotation", new LogRotation(_runtime, _config, _time, _logs.CreateLogger("Logs")).RunAsync)
            .Add("image collection", _imageCollection.RunAsync)
            .Add("eviction", _eviction.RunAsync)
            .Add("plugins", new PluginWatcher(_directories.PluginRegistry, _drivers, _client == null ? null : new CsiNodeWriter(_client, _facts.Name), _time, _logs.CreateLogger("Plugins")).RunAsync);
    }

    private void AddApiStages(ComponentHost host, KubeClient client, IReadOnlyDictionary<string, string> labels, IReadOnlyList<Taint> taints)
    {
        var builder = new NodeStatusBuilder(_config, _facts, _pleg.Health, () => _pressure.Conditions, _csi.InUse, () => null, _time);
        var reporter = _reporter = new NodeReporter(client, _runtime, builder, _facts, _config, labels, taints, _logs.CreateLogger("Node"));
        var source = new ApiPods(client, _pods!, _workers, _statics, _status, _time, _logs.CreateLogger("Pods"));
        host.Add("events", _recorder!.RunAsync)
            .Add("node", reporter.RunAsync)
            .Add("services", _services!.RunAsync)
            .Add("configmaps", _configMaps == null ? IdleAsync : _configMaps.RunAsync)
            .Add("secrets", _secrets == null ? IdleAsync : _secrets.RunAsync)
            .Add("pods", _pods!.RunAsync)
            .Add("status", _status.RunAsync)
            .Add("api source", async stop =>
            {
                // A container's environment names the Services: they are known before the first one starts.
                await _services!.WaitForSyncAsync(stop);
                await _pods!.WaitForSyncAsync(stop);
                source.Attach();
                await source.RunMirrorsAsync(stop);
            });
    }

    private bool SourcesReady() => _statics.Ready && (_pods == null || (_pods.HasSynced && _services!.HasSynced));

    /// <summary>A stage lasts as long as the program; a directory that is not configured is nothing to read.</summary>
    private async Task RunStaticsAsync(CancellationToken stop)
    {
        await _statics.RunAsync(stop);
        await IdleAsync(stop);
    }

    private Task IdleAsync(CancellationToken stop) => Task.Delay(Timeout.InfiniteTimeSpan, _time, stop);

    private KubeletServer Server() => new(
        _config,
        new ServerParts(
            new RequestAuthenticator(_client, _config, _time), new RequestAuthorizer(_client, _config, _facts.Name, _time),
            new StreamHandlers(_workers, _runtime, _reader), new LogHandler(_reader, _time), new StatsHandler(_sampler, _facts, _probeMetrics, _root), _workers,
            pod => _status.Get(pod.Metadata.Uid), _metrics, _pleg.Health),
        _logs, _time);
}
