using System.Text;
using Microsoft.AspNetCore.Http;

namespace Hardway.Hosting;

/// <summary>Says what is wrong, or null when all is well. What it says is written to the log's reader and to whoever asks: no secrets.</summary>
public delegate ValueTask<string?> HealthCheck(CancellationToken cancellationToken);

[Flags]
public enum HealthEndpoints { None = 0, Healthz = 1, Livez = 2, Readyz = 4, All = 7 }

/// <summary>
/// A component's named health checks behind /healthz, /livez and /readyz, each also alone (/readyz/etcd), with ?verbose and ?exclude=NAME as
/// upstream. Checks are added before serving starts, or later while the component grows; reads take a snapshot. Safe for all threads.
/// </summary>
public sealed class HealthChecks
{
    private readonly Lock _gate = new();
    private volatile Entry[] _entries = [new("ping", HealthEndpoints.All, _ => ValueTask.FromResult<string?>(null))];

    private sealed record Entry(string Name, HealthEndpoints On, HealthCheck Check);

    public void Add(string name, HealthCheck check, HealthEndpoints on = HealthEndpoints.All)
    {
        lock (_gate) _entries = [.. _entries, new Entry(name, on, check)];
    }

    /// <summary>A check that is true or not, without waiting.</summary>
    public void Add(string name, Func<string?> check, HealthEndpoints on = HealthEndpoints.All) => Add(name, _ => ValueTask.FromResult(check()), on);

    /// <summary>Is this path one of ours (with or without a check's name)?</summary>
    public static bool Serves(PathString path) => Split(path) is not null;

    /// <summary>Answers a request for one of the health paths; false when the path is another's.</summary>
    public async Task<bool> TryHandleAsync(HttpContext context)
    {
        if (Split(context.Request.Path) is not var (endpoint, single)) return false;
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            return true;
        }
        var query = context.Request.Query;
        var (status, body) = await EvaluateAsync(endpoint, single, query.ContainsKey("verbose"), [.. query["exclude"]!], context.RequestAborted);
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.Headers["X-Content-Type-Options"] = "nosniff";
        context.Response.Headers.CacheControl = "no-cache, private";
        await context.Response.WriteAsync(body, context.RequestAborted);
        return true;
    }

    /// <summary>The answer itself: 200 "ok", 200 with a line a check, 500 with a line a check, or 404 for an unknown single check.</summary>
    public async Task<(int Status, string Body)> EvaluateAsync(HealthEndpoints endpoint, string? single = null, bool verbose = false, IReadOnlyCollection<string>? exclude = null, CancellationToken cancellationToken = default)
    {
        var name = endpoint.ToString().ToLowerInvariant();
        var checks = _entries.Where(e => e.On.HasFlag(endpoint)).ToList();
        if (single is not null)
        {
            checks = checks.Where(e => e.Name == single).ToList();
            if (checks.Count == 0) return (StatusCodes.Status404NotFound, "404 page not found\n");
        }
        var text = new StringBuilder();
        var failed = false;
        foreach (var entry in checks)
        {
            if (exclude is { Count: > 0 } && exclude.Contains(entry.Name)) { text.Append($"[+]{entry.Name} excluded: ok\n"); continue; }
            var wrong = await RunAsync(entry, cancellationToken);
            failed |= wrong is not null;
            text.Append(wrong is null ? $"[+]{entry.Name} ok\n" : $"[-]{entry.Name} failed: {wrong}\n");
        }
        foreach (var unknown in exclude?.Where(x => checks.All(c => c.Name != x)) ?? []) text.Append($"warn: some health checks cannot be excluded: no matches for \"{unknown}\"\n");
        if (failed) return (StatusCodes.Status500InternalServerError, text.Append($"{name} check failed\n").ToString());
        return (StatusCodes.Status200OK, verbose ? text.Append($"{name} check passed\n").ToString() : "ok");
    }

    private static async ValueTask<string?> RunAsync(Entry entry, CancellationToken cancellationToken)
    {
        try { return await entry.Check(cancellationToken); }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested) { return e.Message; }
    }

    private static (HealthEndpoints Endpoint, string? Single)? Split(PathString path)
    {
        var text = path.Value ?? "";
        foreach (var (prefix, endpoint) in (ReadOnlySpan<(string, HealthEndpoints)>)[("/healthz", HealthEndpoints.Healthz), ("/livez", HealthEndpoints.Livez), ("/readyz", HealthEndpoints.Readyz)])
        {
            if (text == prefix || text == prefix + "/") return (endpoint, null);
            if (text.StartsWith(prefix + "/", StringComparison.Ordinal)) return (endpoint, text[(prefix.Length + 1)..]);
        }
        return null;
    }
}
