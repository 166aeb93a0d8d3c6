using Hardway.ApiServer.Admission;
using Hardway.ApiServer.Admission.Plugins.Quota;
using Hardway.ApiServer.Aggregation;
using Hardway.ApiServer.Allocation;
using Hardway.ApiServer.Audit;
using Hardway.ApiServer.Authentication;
using Hardway.ApiServer.Authentication.ServiceAccounts;
using Hardway.ApiServer.Authorization;
using Hardway.ApiServer.Authorization.Rbac;
using Hardway.ApiServer.Bootstrap;
using Hardway.ApiServer.Custom;
using Hardway.ApiServer.FlowControl;
using Hardway.ApiServer.Handlers;
using Hardway.ApiServer.Kubelets;
using Hardway.ApiServer.OpenApi;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Virtual;
using Hardway.Hosting;
using Hardway.Pki;
using Hardway.Storage;
using Hardway.Storage.Cache;
using Hardway.Storage.Compaction;
using Hardway.Storage.Encryption;
using Hardway.Storage.Leases;
using Microsoft.Extensions.Logging;

namespace Hardway.ApiServer.Serving;

/// <summary>
/// The server put together. Stages: the store and its watch cache, the HTTPS front (not ready yet), the objects that must be there, then
/// ready; stopped in reverse, the address leaving the kubernetes Service first.
/// </summary>
internal sealed partial class ApiServer : IAsyncDisposable
{
    private readonly ApiServerOptions _options;
    private readonly ILoggerFactory _logs;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stopping = new();
    private readonly IStore _store;
    private readonly WatchCache _cache;
    private readonly LeasePool _leases;
    private readonly ApiServices _services;
    private readonly AuthorizationStack _authorization;
    private readonly NodeConnector _nodes;
    private readonly KubernetesService _kubernetes;
    private readonly Auditor _auditor;
    private IResourceWriter? _writer;
    private System.Net.IPAddress? _firstAddress;
    private readonly RequestPipeline _pipeline;
    private readonly Front _front;
    private readonly TransformingStore? _encryption;
    private readonly SystemObjects _system;
    private readonly FlowController? _flow;
    private readonly Readiness _readiness;
    private readonly CustomResourceController _custom;
    private readonly AggregatedBackend _backend;
    private readonly APIServiceController _apiServices;

    public ApiServer(ApiServerOptions options, ILoggerFactory logs, TimeProvider time)
    {
        _options = options;
        _logs = logs;
        _time = time;
        var scheme = new ResourceScheme(options.RuntimeConfig);
        var metrics = new Metrics();
        _store = new MeasuredStore(StoreFactory.Open(options, scheme, time, out _encryption), metrics, time, key => scheme.ByKey(key)?.Resource ?? "");
        _cache = new WatchCache(_store, new ObjectDecoder(scheme), new WatchCacheOptions(), time, logs.CreateLogger("watchcache"));
        _leases = new LeasePool(_store, time);
        var objects = new ObjectStore(_store, _cache, _leases, options.EventTtl) { WritesProtobuf = options.StorageMediaType == Hardway.Api.Protobuf.ApiProtobuf.MediaType };
        var reader = new ResourceReader(scheme, objects);
        var authentication = AuthenticationStack.Create(options.Authentication, reader, time, $"https://{options.ExternalHostname}:{options.SecurePort}", LogFile);
        _authorization = new AuthorizationStack(options.Authorization, reader, time, LogFile);
        QuotaStore? quotas = null;
        var admission = AdmissionCatalog.Create(options.Admission, new AdmissionParts(reader, scheme, _authorization.Authorizer, _authorization.UsesRbac ? _authorization.Rbac : null, () => quotas!, time));
        var parts = new PipelineParts(objects, reader, admission, new FieldOwnership(time), new AllocatorSet(Allocator(options, reader)), time);
        var create = new CreatePipeline(parts);
        var update = new UpdatePipeline(parts, create);
        var delete = new DeletePipeline(parts);
        var writer = new ResourceWriter(scheme, create, update, delete);
        quotas = new QuotaStore(writer);
        _writer = writer;
        var health = new HealthChecks();
        _readiness = new Readiness(health, _cache, _store);
        if (_encryption is { } encryption)
        {
            health.Add("kms-providers", token => encryption.Model.HealthAsync(token));
        }

        _services = new ApiServices
        {
            Options = options,
            Scheme = scheme,
            Objects = objects,
            Reader = reader,
            Writer = writer,
            Parts = parts,
            Create = create,
            Update = update,
            Delete = delete,
            Authorizer = _authorization.Authorizer,
            Flow = NewFlow(options, time),
            Virtual = new VirtualResources(),
            Metrics = metrics,
            Health = health,
            Logs = logs,
            Time = time,
            Stopping = _stopping.Token,
        };
        AddVirtual(authentication);
        _nodes = new NodeConnector(options, reader);
        _backend = new AggregatedBackend(reader, options.ProxyClientCertFile.Length > 0 ? new CertificateSource(options.ProxyClientCertFile, options.ProxyClientKeyFile, time) : null);
        var apis = new AggregatedApis(reader);
        _auditor = new Auditor(options.Audit, time, logs.CreateLogger("audit"));
        _pipeline = new RequestPipeline(_services, _auditor, authentication, new Impersonation(_authorization.Authorizer), new Dispatcher(_services, new ConnectHandlers(new PodConnectHandler(_services, _nodes), new ProxyHandler(_services, _nodes))), new RootHandler(_services, authentication.OpenId, new OpenApiHandler(scheme, apis), apis), new AggregationProxy(apis, _backend));
        _front = new Front(options, logs);
        _custom = new CustomResourceController(_services);
        _apiServices = new APIServiceController(_services, apis, _backend);
        _system = new SystemObjects(_services);
        _flow = _services.Flow is { } flow ? new FlowController(_services, flow) : null;
        _kubernetes = new KubernetesService(_services, _store, AdvertisedAddress.Of(options), _firstAddress!);
    }

    public ApiServices Services => _services;

    public int Port => _front.Port;

    /// <summary>Serves until the token is cancelled. <paramref name="started"/> is called once it is ready.</summary>
    public async Task RunAsync(CancellationToken stop, bool anyPort = false, Action? started = null)
    {
        var host = new ComponentHost("apiserver", _logs, _time);
        host.Add("watch cache", _cache.RunAsync);
        if (_options.CompactionInterval > TimeSpan.Zero)
        {
            host.Add("compaction", new Compactor(_store, _options.CompactionInterval, _time, _logs.CreateLogger("compaction")).RunAsync);
        }

        if (_encryption is { } encryption && _options.ReloadEncryption)
        {
            var file = _options.EncryptionConfigFile;
            var text = await File.ReadAllTextAsync(file, stop).ConfigureAwait(false);
            host.Add("encryption", token => new EncryptionReload(file, encryption, _time, _logs.CreateLogger("encryption")).RunAsync(text, token));
        }

        host.Add("serving", ServeAsync, token => _front.StartAsync(_pipeline.HandleAsync, anyPort, token));
        host.AddInit("caches", async token => await _cache.WaitUntilAsync(1, Timeout.InfiniteTimeSpan, token).ConfigureAwait(false));
        host.Add("custom resources", _custom.RunAsync);
        host.AddInit("bootstrap", BootstrapAsync);
        host.Add("api services", _apiServices.RunAsync);
        if (_flow is not null)
        {
            host.Add("priority and fairness", _flow.RunAsync);
        }

        host.Add("kubernetes service", _kubernetes.RunAsync);
        host.Add("identity", new ServerIdentity(_services).RunAsync);
        host.Add("drain", DrainAsync, _ =>
        {
            _readiness.IsReady = true;
            started?.Invoke();
            return Task.CompletedTask;
        });
        await host.RunAsync(stop).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _front.DisposeAsync().ConfigureAwait(false);
        await _auditor.DisposeAsync().ConfigureAwait(false);
        _cache.Dispose();
        _leases.Dispose();
        _flow?.Dispose();
        _nodes.Dispose();
        _custom.Dispose();
        _backend.Dispose();
        await _store.DisposeAsync().ConfigureAwait(false);
        _stopping.Dispose();
    }

    private void LogFile(string problem) => LogConfig(_logs.CreateLogger("configuration"), problem);

    [LoggerMessage(Level = LogLevel.Error, Message = "A configuration file changed and is not used: {Problem}")]
    private static partial void LogConfig(ILogger logger, string problem);

    /// <summary>As many seats as the two limits have together; a request waits for a quarter of its time at most.</summary>
    private static FlowDispatcher? NewFlow(ApiServerOptions options, TimeProvider time)
    {
        var seats = options.MaxRequestsInFlight + options.MaxMutatingInFlight;
        return options.PriorityAndFairness && seats > 0 ? new FlowDispatcher(seats, options.RequestTimeout / 4, time) : null;
    }

    private ServiceAllocator Allocator(ApiServerOptions options, ResourceReader reader)
    {
        var ranges = new ServiceRanges(options.ServiceRanges, reader, () => _writer!);
        _firstAddress = ranges.Primary.First;
        return new ServiceAllocator(ranges, new NodePortAllocator(options.NodePortRange.From, options.NodePortRange.To, _store, reader));
    }

    private void AddVirtual(AuthenticationStack authentication)
    {
        var all = _services.Virtual;
        all.Add(new TokenReviewResource(authentication.Tokens, _options.Authentication.Audiences));
        all.Add(new SelfSubjectReviewResource(_time));
        all.Add(new TokenRequestResource(authentication.Issuer, _options.Authentication, _services.Reader, _time));
        all.Add(new SubjectAccessReviewResource(_authorization.Authorizer));
        all.Add(new LocalSubjectAccessReviewResource(_authorization.Authorizer));
        all.Add(new SelfSubjectAccessReviewResource(_authorization.Authorizer));
        all.Add(new SelfSubjectRulesReviewResource(_authorization));
        all.Add(new PodBinding(_services, ""));
        all.Add(new PodBinding(_services, "binding"));
        all.Add(new PodEviction(_services));
    }

    /// <summary>Makes what must be there; a store that does not answer yet is waited for.</summary>
    private async Task BootstrapAsync(CancellationToken cancellationToken)
    {
        var log = _logs.CreateLogger("bootstrap");
        while (true)
        {
            try
            {
                await _system.EnsureAsync(cancellationToken).ConfigureAwait(false);
                await new AuthenticationConfigMap(_options.Authentication, _services.Reader, _services.Writer).EnsureAsync(cancellationToken).ConfigureAwait(false);
                await _kubernetes.EnsureAsync(cancellationToken).ConfigureAwait(false);
                if (_authorization.UsesRbac)
                {
                    await new RbacBootstrap(_services.Reader, _services.Writer).RunAsync(cancellationToken).ConfigureAwait(false);
                }

                if (_flow is not null)
                {
                    await _flow.InitAsync(cancellationToken).ConfigureAwait(false);
                }

                return;
            }
            catch (Exception e) when (e is StoreException or Errors.ApiException)
            {
                LogBootstrap(log, e.Message);
                await Task.Delay(TimeSpan.FromSeconds(1), _time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The objects that every cluster has could not be made yet: {Reason}")]
    private static partial void LogBootstrap(ILogger logger, string reason);

    private async Task ServeAsync(CancellationToken stop)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, _time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _front.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>The first to stop: not ready any more, wait for the load balancer to see it, then end the long requests.</summary>
    private async Task DrainAsync(CancellationToken stop)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, _time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _readiness.IsReady = false;
        if (_options.ShutdownDelay > TimeSpan.Zero)
        {
            await Task.Delay(_options.ShutdownDelay, _time, CancellationToken.None).ConfigureAwait(false);
        }

        await _stopping.CancelAsync().ConfigureAwait(false);
    }
}
