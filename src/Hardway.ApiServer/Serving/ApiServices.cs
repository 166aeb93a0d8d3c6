using Hardway.ApiServer.Authorization;
using Hardway.ApiServer.FlowControl;
using Hardway.ApiServer.Registry;
using Hardway.Hosting;
using Microsoft.Extensions.Logging;

namespace Hardway.ApiServer.Serving;

/// <summary>What request handlers stand on. Made once by <see cref="ApiServer"/>.</summary>
internal sealed class ApiServices
{
    public required ApiServerOptions Options { get; init; }

    public required ResourceScheme Scheme { get; init; }

    public required ObjectStore Objects { get; init; }

    public required IResourceReader Reader { get; init; }

    public required IResourceWriter Writer { get; init; }

    public required PipelineParts Parts { get; init; }

    public required CreatePipeline Create { get; init; }

    public required UpdatePipeline Update { get; init; }

    public required DeletePipeline Delete { get; init; }

    public required IAuthorizer Authorizer { get; init; }

    /// <summary>Null with --enable-priority-and-fairness=false.</summary>
    public FlowDispatcher? Flow { get; init; }

    public required VirtualResources Virtual { get; init; }

    public required Metrics Metrics { get; init; }

    public required HealthChecks Health { get; init; }

    public required ILoggerFactory Logs { get; init; }

    public required TimeProvider Time { get; init; }

    /// <summary>Ends when the server stops: watches and other long requests end with it.</summary>
    public CancellationToken Stopping { get; init; }
}
