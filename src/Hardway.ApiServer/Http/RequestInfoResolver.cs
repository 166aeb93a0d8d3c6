using Microsoft.AspNetCore.Http;

namespace Hardway.ApiServer.Http;

/// <summary>
/// Reads a <see cref="RequestInfo"/> from a request:
/// /api/VERSION[/watch|proxy][/namespaces/NS]/RESOURCE[/NAME[/SUBRESOURCE[/REST]]] and the same below /apis/GROUP/VERSION.
/// </summary>
internal static class RequestInfoResolver
{
    public static RequestInfo Resolve(HttpRequest request)
    {
        var path = request.Path.Value ?? "/";
        var method = request.Method;
        var plain = new RequestInfo { Path = path, Verb = method.ToLowerInvariant() };
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length < 3 || parts[0] is not ("api" or "apis") || (parts[0] == "apis" && parts.Length < 4))
        {
            return plain;
        }

        var grouped = parts[0] == "apis";
        var rest = parts.AsSpan(grouped ? 3 : 2);
        var verb = VerbOf(method);
        if (rest[0] is "watch" or "proxy")
        {
            if (rest.Length < 2)
            {
                return plain with { Prefix = parts[0], Group = grouped ? parts[1] : "", Version = parts[grouped ? 2 : 1] };
            }

            verb = rest[0] == "watch" ? "watch" : "proxy";
            rest = rest[1..];
        }

        var ns = "";
        if (rest[0] == "namespaces" && rest.Length > 1)
        {
            ns = rest[1];
            // /namespaces/NAME/status is the Namespace's own; anything else is within it.
            if (rest.Length > 2 && rest[2] is not ("status" or "finalize"))
            {
                rest = rest[2..];
            }
        }

        var name = rest.Length > 1 ? rest[1] : "";
        var query = request.Query;
        if (name.Length == 0 && verb == "get")
        {
            verb = IsTrue(query["watch"]) ? "watch" : "list";
        }
        else if (name.Length > 0 && verb is "get" && rest.Length == 2 && IsTrue(query["watch"]))
        {
            verb = "watch";
        }

        var fieldSelector = query["fieldSelector"].ToString();
        if (name.Length == 0 && verb is "list" or "watch" && NameIn(fieldSelector) is { } one)
        {
            name = one;
        }

        if (name.Length == 0 && verb == "delete")
        {
            verb = "deletecollection";
        }

        return new RequestInfo
        {
            IsResource = true,
            Path = path,
            Verb = verb,
            Prefix = parts[0],
            Group = grouped ? parts[1] : "",
            Version = parts[grouped ? 2 : 1],
            Namespace = ns,
            Resource = rest[0],
            Name = name,
            Subresource = rest.Length > 2 ? rest[2] : "",
            Parts = rest.ToArray(),
            Rest = RestOf(path, rest.Length > 3 ? parts.Length - rest.Length + 3 : -1),
            LabelSelector = query["labelSelector"].ToString(),
            FieldSelector = fieldSelector,
        };
    }

    public static bool IsTrue(string? value) => value is not (null or "" or "0" or "false" or "False" or "FALSE" or "f" or "F");

    private static string VerbOf(string method) => method switch
    {
        "POST" => "create",
        "GET" or "HEAD" => "get",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => "delete",
        _ => "",
    };

    /// <summary>The path from segment <paramref name="index"/> on, as it was sent (a trailing slash matters to who is proxied).</summary>
    private static string RestOf(string path, int index)
    {
        if (index < 0)
        {
            return "";
        }

        var at = 0;
        for (var seen = 0; at < path.Length; at++)
        {
            if (path[at] == '/' && at + 1 < path.Length && path[at + 1] != '/' && seen++ == index)
            {
                return path[at..];
            }
        }

        return "";
    }

    /// <summary>The name in metadata.name=NAME, when the selector asks for just that.</summary>
    private static string? NameIn(string selector)
    {
        foreach (var term in selector.Split(','))
        {
            if (term.StartsWith("metadata.name=", StringComparison.Ordinal))
            {
                var value = term["metadata.name=".Length..].TrimStart('=');
                return value.Length > 0 && !value.Contains('/') ? value : null;
            }
        }

        return null;
    }
}
