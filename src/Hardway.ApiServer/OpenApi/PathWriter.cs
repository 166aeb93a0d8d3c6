using System.Text.Json;
using Hardway.Api;

namespace Hardway.ApiServer.OpenApi;

/// <summary>Writes the operations of resources. Version 3 has content types and request bodies, version 2 consumes, produces and a body parameter.</summary>
internal sealed class PathWriter(Utf8JsonWriter writer, SchemaWriter schemas, bool v3)
{
    private const string Status = "io.k8s.apimachinery.pkg.apis.meta.v1.Status";
    private const string DeleteOptions = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions";
    private static readonly string[] s_produced = ["application/json", "application/vnd.kubernetes.protobuf", "application/yaml"];
    private static readonly string[] s_produces = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];
    private static readonly string[] s_patches = ["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json"];
    private static readonly (string Name, string Type)[] s_list =
    [
        ("allowWatchBookmarks", "boolean"), ("continue", "string"), ("fieldSelector", "string"), ("labelSelector", "string"), ("limit", "integer"),
        ("resourceVersion", "string"), ("resourceVersionMatch", "string"), ("sendInitialEvents", "boolean"), ("timeoutSeconds", "integer"), ("watch", "boolean"),
    ];

    private static readonly (string Name, string Type)[] s_write = [("dryRun", "string"), ("fieldManager", "string"), ("fieldValidation", "string")];
    private static readonly (string Name, string Type)[] s_patch = [("dryRun", "string"), ("fieldManager", "string"), ("fieldValidation", "string"), ("force", "boolean")];
    private static readonly (string Name, string Type)[] s_delete =
    [
        ("dryRun", "string"), ("gracePeriodSeconds", "integer"), ("ignoreStoreReadErrorWithClusterBreakingPotential", "boolean"), ("orphanDependents", "boolean"), ("propagationPolicy", "string"),
    ];

    /// <summary>What was referred to, with what writes it: the parameters of the whole document, in version 2.</summary>
    private readonly SortedDictionary<string, Action> _shared = new(StringComparer.Ordinal);

    public void WriteSharedParameters()
    {
        foreach (var (name, write) in _shared)
        {
            writer.WriteStartObject(name);
            write();
            writer.WriteEndObject();
        }
    }

    public void WriteResource(ResourceInfo resource)
    {
        var item = new Target(resource, resource.Type.FullName, resource.Kind, "");
        var collection = resource.BasePath + (resource.Namespaced ? "/namespaces/{namespace}/" : "/") + resource.Plural;
        var verbs = resource.Verbs;
        if (resource.Namespaced && verbs.Contains("list"))
        {
            Begin(resource.BasePath + "/" + resource.Plural);
            Operation("get", "list", item, "ForAllNamespaces", resource.ListType?.FullName, s_list, null, [200]);
            Parameters(namespaced: false, named: false);
            writer.WriteEndObject();
        }

        Begin(collection);
        if (verbs.Contains("list"))
        {
            Operation("get", "list", item, "", resource.ListType?.FullName, s_list, null, [200]);
        }

        if (verbs.Contains("create"))
        {
            Operation("post", "create", item, "", item.Type, s_write, item.Type, [200, 201, 202]);
        }

        if (verbs.Contains("deletecollection"))
        {
            Operation("delete", "deletecollection", item, "", Status, [.. s_list.Concat(s_delete).DistinctBy(p => p.Name)], DeleteOptions, [200]);
        }

        Parameters(resource.Namespaced, named: false);
        writer.WriteEndObject();
        if (verbs.Any(v => v is "get" or "update" or "patch" or "delete"))
        {
            WriteItem(collection + "/{name}", item, verbs);
        }

        foreach (var sub in resource.Subresources)
        {
            var type = sub.Type?.FullName ?? resource.Type.FullName;
            WriteItem(collection + "/{name}/" + sub.Name, new Target(resource, type, sub.Kind.Length > 0 ? sub.Kind : resource.Kind, sub.Name) { Group = sub.Group, Version = sub.Version.Length > 0 ? sub.Version : resource.Version }, sub.Verbs);
        }
    }

    private void WriteItem(string path, Target target, IReadOnlyList<string> verbs)
    {
        Begin(path);
        if (verbs.Contains("get"))
        {
            Operation("get", "get", target, "", target.Type, [], null, [200]);
        }

        if (verbs.Contains("update"))
        {
            Operation("put", "put", target, "", target.Type, s_write, target.Type, [200, 201]);
        }

        if (target.Subresource.Length > 0 && verbs.Contains("create"))
        {
            Operation("post", "post", target, "", target.Type, s_write, target.Type, [200, 201, 202]);
        }

        if (verbs.Contains("delete"))
        {
            Operation("delete", "delete", target, "", Status, s_delete, DeleteOptions, [200, 202]);
        }

        if (verbs.Contains("patch"))
        {
            Operation("patch", "patch", target, "", target.Type, s_patch, SchemaWriter.Patch, [200, 201]);
        }

        Parameters(target.Resource.Namespaced, named: true);
        writer.WriteEndObject();
    }

    private void Begin(string path) => writer.WriteStartObject(path);

    private void Operation(string method, string action, Target target, string suffix, string? answer, (string Name, string Type)[] query, string? body, int[] codes)
    {
        writer.WriteStartObject(method);
        writer.WriteStartArray("tags");
        writer.WriteStringValue(target.Tag);
        writer.WriteEndArray();
        writer.WriteString("description", Describe(action, target));
        writer.WriteString("operationId", OperationId(action, target, suffix));
        if (!v3)
        {
            WriteTexts("consumes", action == "patch" ? s_patches : ["*/*"]);
            WriteTexts("produces", s_produces);
            WriteTexts("schemes", ["https"]);
        }

        WriteQuery(action, query, body);
        WriteBody(action, body);
        WriteAnswers(answer, codes);
        writer.WriteString("x-kubernetes-action", action is "create" ? "post" : action);
        writer.WriteStartObject("x-kubernetes-group-version-kind");
        writer.WriteString("group", target.Group);
        writer.WriteString("version", target.Version);
        writer.WriteString("kind", target.Kind);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private void WriteQuery(string action, (string Name, string Type)[] query, string? body)
    {
        if (query.Length == 0 && (v3 || body is null))
        {
            return;
        }

        writer.WriteStartArray("parameters");
        if (!v3 && body is not null)
        {
            writer.WriteStartObject();
            ReferOrWrite(SharedParameters.OfBody(body), () => DescribeBody(body));
            writer.WriteEndObject();
        }

        foreach (var (name, type) in query)
        {
            WriteParameter(name, "query", type, required: false, action);
        }

        writer.WriteEndArray();
    }

    private void DescribeBody(string body)
    {
        writer.WriteString("name", "body");
        writer.WriteString("in", "body");
        if (body != DeleteOptions)
        {
            writer.WriteBoolean("required", true);
        }

        writer.WriteStartObject("schema");
        schemas.WriteReference(body);
        writer.WriteEndObject();
    }

    private void WriteParameter(string name, string place, string type, bool required, string action = "")
    {
        writer.WriteStartObject();
        ReferOrWrite(v3 ? null : SharedParameters.Of(name, action), () => DescribeParameter(name, place, type, required));
        writer.WriteEndObject();
    }

    private void ReferOrWrite(string? shared, Action write)
    {
        if (shared is null)
        {
            write();
            return;
        }

        writer.WriteString("$ref", "#/parameters/" + shared);
        _shared.TryAdd(shared, write);
    }

    private void DescribeParameter(string name, string place, string type, bool required)
    {
        if (v3)
        {
            writer.WriteString("name", name);
            writer.WriteString("in", place);
        }
        else
        {
            writer.WriteBoolean("uniqueItems", true);
            writer.WriteString("type", type);
            writer.WriteString("name", name);
            writer.WriteString("in", place);
        }

        writer.WriteString("description", ParameterTexts.Of(name));
        if (required)
        {
            writer.WriteBoolean("required", true);
        }

        if (v3)
        {
            writer.WriteStartObject("schema");
            writer.WriteString("type", type);
            writer.WriteBoolean("uniqueItems", true);
            writer.WriteEndObject();
        }
    }

    private void WriteBody(string action, string? body)
    {
        if (!v3 || body is null)
        {
            return;
        }

        writer.WriteStartObject("requestBody");
        writer.WriteStartObject("content");
        foreach (var type in action == "patch" ? s_patches : ["*/*"])
        {
            WriteContent(type, body);
        }

        writer.WriteEndObject();
        if (body != DeleteOptions)
        {
            writer.WriteBoolean("required", true);
        }

        writer.WriteEndObject();
    }

    private void WriteContent(string mediaType, string type)
    {
        writer.WriteStartObject(mediaType);
        writer.WriteStartObject("schema");
        schemas.WriteReference(type);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private void WriteAnswers(string? type, int[] codes)
    {
        writer.WriteStartObject("responses");
        foreach (var code in codes)
        {
            writer.WriteStartObject(code.ToString(System.Globalization.CultureInfo.InvariantCulture));
            writer.WriteString("description", code switch { 201 => "Created", 202 => "Accepted", _ => "OK" });
            if (type is not null && v3)
            {
                writer.WriteStartObject("content");
                foreach (var media in s_produced)
                {
                    WriteContent(media, type);
                }

                writer.WriteEndObject();
            }
            else if (type is not null)
            {
                writer.WriteStartObject("schema");
                schemas.WriteReference(type);
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        writer.WriteStartObject("401");
        writer.WriteString("description", "Unauthorized");
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private void Parameters(bool namespaced, bool named)
    {
        writer.WriteStartArray("parameters");
        if (named)
        {
            WriteParameter("name", "path", "string", required: true);
        }

        if (namespaced)
        {
            WriteParameter("namespace", "path", "string", required: true);
        }

        WriteParameter("pretty", "query", "string", required: false);
        writer.WriteEndArray();
    }

    private void WriteTexts(string name, string[] texts)
    {
        writer.WriteStartArray(name);
        foreach (var text in texts)
        {
            writer.WriteStringValue(text);
        }

        writer.WriteEndArray();
    }

    private static string Describe(string action, Target target)
    {
        var what = target.Subresource.Length > 0 ? $"{target.Subresource} of the specified {target.Resource.Kind}" : "the specified " + target.Kind;
        return action switch
        {
            "get" => "read " + what,
            "list" => "list objects of kind " + target.Kind,
            "create" => "create a " + target.Kind,
            "post" => "create " + what,
            "put" => "replace " + what,
            "patch" => "change " + what + " in part",
            "deletecollection" => "delete a collection of " + target.Kind,
            _ => "delete " + what,
        };
    }

    private static string OperationId(string action, Target target, string suffix)
    {
        var verb = action switch { "get" => "read", "put" => "replace", "post" => "create", "deletecollection" => "deleteCollection", _ => action };
        var scope = target.Resource.Namespaced && suffix.Length == 0 ? "Namespaced" : "";
        return verb + target.Title + scope + target.Resource.Kind + Capital(target.Subresource) + suffix;
    }

    private static string Capital(string text) => text.Length == 0 ? "" : char.ToUpperInvariant(text[0]) + text[1..];

    /// <summary>What an operation is about.</summary>
    private sealed record Target(ResourceInfo Resource, string Type, string Kind, string Subresource)
    {
        public string Group { get; init; } = Resource.Group;

        public string Version { get; init; } = Resource.Version;

        /// <summary>core_v1, apps_v1, rbacAuthorization_v1.</summary>
        public string Tag => Lower(GroupWords(Resource.Group)) + "_" + Resource.Version;

        public string Title => GroupWords(Resource.Group) + Capital(Resource.Version);

        private static string Lower(string text) => char.ToLowerInvariant(text[0]) + text[1..];

        private static string GroupWords(string group)
        {
            if (group.Length == 0)
            {
                return "Core";
            }

            var name = group.EndsWith(".k8s.io", StringComparison.Ordinal) ? group[..^".k8s.io".Length] : group;
            return string.Concat(name.Split('.').Select(Capital));
        }
    }
}
