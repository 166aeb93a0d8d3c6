using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Handlers;

/// <summary>One subresource that is a connection to somewhere else: log, exec, attach, portforward, proxy.</summary>
internal interface IConnectHandler
{
    bool Handles(string resource, string subresource);

    Task HandleAsync(RequestContext context, ServedResource resource);
}

/// <summary>Finds the connection's handler.</summary>
internal sealed class ConnectHandlers(params IReadOnlyList<IConnectHandler> handlers)
{
    public bool Handles(string subresource) => subresource is "log" or "exec" or "attach" or "portforward" or "proxy";

    public Task HandleAsync(RequestContext context, ServedResource resource, string subresource)
    {
        foreach (var handler in handlers)
        {
            if (handler.Handles(resource.Info.Plural, subresource))
            {
                return handler.HandleAsync(context, resource);
            }
        }

        throw Statuses.NoSuchResource();
    }
}
