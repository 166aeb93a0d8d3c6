using Hardway.Api;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>The head that the controllers of this program share: a name, a service account, shared informers that are waited for, events.</summary>
internal abstract class ClusterController : Controller
{
    private readonly ControllerContext _context;
    private readonly string _account;

    protected ClusterController(string name, string account, ControllerContext context)
        : base(name, context.Logs, context.Time, context.Metrics)
    {
        (_context, _account) = (context, account);
        Client = context.ClientFor(account);
    }

    /// <summary>Requests as this controller's own identity.</summary>
    protected KubeClient Client { get; }

    /// <summary>The shared informer of a kind; reconciling waits for its first list.</summary>
    protected Informer<T> Watch<T>() where T : KubeObject, IApiType<T>, new() => Needs(_context.Informers.Get<T>());

    protected EventRecorder EventsAs(string component) => _context.EventsFor(component, _account);
}
