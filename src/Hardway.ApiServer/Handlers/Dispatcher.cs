using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Serving;

namespace Hardway.ApiServer.Handlers;

/// <summary>Leads a request for a resource to the handler of its verb and subresource.</summary>
internal sealed class Dispatcher
{
    private readonly ApiServices _services;
    private readonly GetHandler _get;
    private readonly ListHandler _list;
    private readonly WatchHandler _watch;
    private readonly CreateHandler _create;
    private readonly UpdateHandler _update;
    private readonly PatchHandler _patch;
    private readonly DeleteHandler _delete;
    private readonly ScaleHandler _scale;
    private readonly ConnectHandlers _connect;
    private readonly ComponentStatusHandler _components;

    public Dispatcher(ApiServices services, ConnectHandlers connect)
    {
        _services = services;
        _get = new GetHandler(services);
        _list = new ListHandler(services);
        _watch = new WatchHandler(services);
        _create = new CreateHandler(services);
        _update = new UpdateHandler(services);
        _patch = new PatchHandler(services);
        _delete = new DeleteHandler(services, _list);
        _scale = new ScaleHandler(services);
        _connect = connect;
        _components = new ComponentStatusHandler(services);
    }

    public Task HandleAsync(RequestContext context)
    {
        var info = context.Info;
        var resource = _services.Scheme.Find(info.Group, info.Version, info.Resource) ?? throw (_services.Scheme.IsBuiltIn(info.Group) ? Statuses.NoSuchResource() : Statuses.PageNotFound());
        if (resource.Info.Namespaced ? info.Namespace.Length == 0 && info.Verb is not ("list" or "watch") : info.Namespace.Length > 0 && info.Resource != "namespaces")
        {
            throw resource.Registry.IsCustom ? Statuses.PageNotFound() : Statuses.NoSuchResource();
        }

        if (info.Name.Contains('%') || info.Path.Contains("//", StringComparison.Ordinal) && info.Subresource != "proxy")
        {
            // An escaped slash stays escaped in the path: no name has one.
            throw Statuses.NoSuchResource();
        }

        if (resource.Registry.Custom?.Deprecation is { } deprecation)
        {
            context.Warn(deprecation);
        }

        foreach (var warning in Deprecations.Of(info))
        {
            context.Warn(warning);
        }

        if (info.Parts.Count > 3 && info.Subresource != "proxy")
        {
            throw Statuses.NoSuchResource();
        }

        return info.Subresource.Length > 0 ? SubresourceAsync(context, resource) : ResourceAsync(context, resource);
    }

    private Task ResourceAsync(RequestContext context, ServedResource resource)
    {
        var info = context.Info;
        if (_services.Virtual.Find(info.Group, info.Resource, "") is { } answers)
        {
            return info.Verb == "create" && info.Name.Length == 0 ? _create.HandleVirtualAsync(context, resource.Info, resource.Info.Type, answers) : throw Statuses.MethodNotAllowed();
        }

        if (context.Request.Method is "HEAD" || !resource.Has(info.Verb) || (info.Verb == "create" && info.Name.Length > 0) || (info.Verb is "update" or "patch" && info.Name.Length == 0))
        {
            throw Statuses.MethodNotAllowed();
        }

        if (info is { Group: "", Resource: "componentstatuses" })
        {
            return info.Verb == "get" ? _components.GetAsync(context, resource) : _components.ListAsync(context, resource);
        }

        return info.Verb switch
        {
            "get" => _get.HandleAsync(context, resource),
            "list" => _list.HandleAsync(context, resource),
            "watch" => _watch.HandleAsync(context, resource),
            "create" when resource.Registry.Custom is { IsTerminating: true } => throw Statuses.MethodNotAllowed(info.Group, info.Resource, "create"),
            "create" => _create.HandleAsync(context, resource),
            "update" => _update.HandleAsync(context, resource, ""),
            "patch" => _patch.HandleAsync(context, resource, ""),
            "delete" => _delete.HandleAsync(context, resource),
            "deletecollection" => _delete.HandleCollectionAsync(context, resource),
            _ => throw Statuses.MethodNotAllowed(),
        };
    }

    private Task SubresourceAsync(RequestContext context, ServedResource resource)
    {
        var info = context.Info;
        var subresource = resource.Subresource(info.Subresource)
            ?? throw (resource.Registry.IsCustom ? Statuses.NotFound(info.Group, info.Resource, info.Name) : Statuses.NoSuchResource());
        if (_connect.Handles(info.Subresource))
        {
            return _connect.HandleAsync(context, resource, info.Subresource);
        }

        if (!subresource.Verbs.Contains(info.Verb))
        {
            throw Statuses.MethodNotAllowed();
        }

        if (_services.Virtual.Find(info.Group, info.Resource, info.Subresource) is { } answers)
        {
            return info.Verb == "create" ? _create.HandleVirtualAsync(context, resource.Info, subresource.Type ?? resource.Info.Type, answers) : throw Statuses.MethodNotAllowed();
        }

        return (info.Subresource, info.Verb) switch
        {
            ("scale", "get") => _scale.GetAsync(context, resource),
            ("scale", "update") => _scale.UpdateAsync(context, resource),
            ("scale", "patch") => _scale.PatchAsync(context, resource),
            (_, "get") => _get.HandleAsync(context, resource),
            (_, "update") => _update.HandleAsync(context, resource, info.Subresource),
            (_, "patch") => _patch.HandleAsync(context, resource, info.Subresource),
            _ => throw Statuses.MethodNotAllowed(),
        };
    }
}
