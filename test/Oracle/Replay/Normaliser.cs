using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Hardway.Oracle.Tests.Replay;

/// <summary>
/// Writes what differs from run to run (uids, times, versions, generated names, allocated addresses and ports) as ${...}, so that an answer can be
/// compared with the recorded one. One is made for an answer.
/// </summary>
internal sealed partial class Normaliser(Variables variables, string admin, IReadOnlySet<string> managers, string? generateName)
{
    /// <summary>Services get addresses and ports above these when they do not ask for one; smaller ones are those that scenarios ask for.</summary>
    private const int LastStaticAddress = 16;
    private const int LastStaticPort = 30085;

    private readonly List<(string Text, string Name)> _texts = [.. variables.Shown];
    private readonly string? _generated = generateName is { Length: > 0 } ? generateName[..Math.Min(58, generateName.Length)] : null;
    private List<string> _hashes = [];

    public JsonNode? Apply(JsonNode? value)
    {
        var hashes = new HashSet<string>(StringComparer.Ordinal);
        CollectHashes(value, hashes);
        _hashes = [.. hashes.OrderByDescending(h => h.Length)];
        return Value(value?.DeepClone(), null);
    }

    public string Text(string text, string? key)
    {
        switch (key)
        {
            case "resourceVersion" when text is not ("" or "0"): return "${rv}";
            case "continue" when text.Length > 0: return "${continue}";
            case "storageVersionHash": return "${hash}";
            case "serverAddress": return "${address}";
            case "username" when text == admin: return "${admin}";
            case "currentRevision" or "updateRevision": text = Revision().Replace(text, "-${hash}"); break;
        }

        foreach (var (found, name) in _texts) text = text.Replace(found, $"${{{name}}}", StringComparison.Ordinal);
        foreach (var hash in _hashes) text = text.Replace(hash, "${hash}", StringComparison.Ordinal);
        if (_generated is not null) text = Regex.Replace(text, Regex.Escape(_generated) + @"[bcdfghjklmnpqrstvwxz2456789]{5}\b", _ => _generated + "${suffix}");
        if (text.StartsWith("LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0t", StringComparison.Ordinal)) return "${pem}";
        text = Pem().Replace(text, _ => "${pem}");
        text = CertificateHash().Replace(text, _ => "X509SHA256=${hash}");
        text = LinkHash().Replace(text, _ => "?hash=${hash}");
        text = AccessVolume().Replace(text, _ => "kube-api-access-${suffix}");
        text = Uid().Replace(text, _ => "${uid}");
        text = Time().Replace(text, TimeOf);
        return ServiceAddress().Replace(text, m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture) > LastStaticAddress ? "${ip}" : m.Value);
    }

    private static void CollectHashes(JsonNode? value, HashSet<string> into)
    {
        if (value is JsonArray array)
        {
            foreach (var item in array) CollectHashes(item, into);
        }
        else if (value is JsonObject map)
        {
            foreach (var (key, item) in map)
            {
                if (key is "pod-template-hash" or "controller-revision-hash" or "controller.kubernetes.io/hash" && AsText(item) is { Length: >= 5 } hash)
                {
                    into.Add(hash);
                    into.Add(hash[(hash.LastIndexOf('-') + 1)..]);
                }
                else
                {
                    CollectHashes(item, into);
                }
            }
        }
    }

    private JsonNode? Value(JsonNode? value, string? key)
    {
        switch (value)
        {
            case JsonObject map:
                return Map(map);
            case JsonArray array when key == "managedFields":
                return new JsonArray([.. array.Where(e => managers.Contains(AsText(e?["manager"]) ?? "")).OrderBy(OrderOfOwner, StringComparer.Ordinal).Select(e => Value(e, null))]);
            case JsonArray array:
                return new JsonArray([.. array.Select(e => Value(e, null))]);
            case JsonValue when AsText(value) is { } text:
                return Token().IsMatch(text) ? TokenClaims(text) : Text(text, key);
            case JsonValue number when key is "nodePort" or "healthCheckNodePort" && number.GetValueKind() == JsonValueKind.Number && number.GetValue<long>() > LastStaticPort:
                return "${nodePort}";
            default:
                return value?.DeepClone();
        }
    }

    private static string OrderOfOwner(JsonNode? entry) => string.Join('\0', entry?["manager"], entry?["operation"], entry?["subresource"]?.ToString() ?? "None", entry?["apiVersion"]);

    private JsonObject Map(JsonObject map)
    {
        if (AsText(map["kind"]) == "Table" && map["rows"] is JsonArray rows) NormaliseTable(map["columnDefinitions"] as JsonArray ?? [], rows);
        if (map["$events"] is JsonArray events) return new JsonObject { ["$events"] = new JsonArray([.. events.Select(e => Value(e, null)).Where(e => !IsProgress(e))]) };
        var result = new JsonObject();
        foreach (var (key, item) in map)
        {
            var value = Value(item, key);
            if (key == "managedFields" && item is JsonArray { Count: > 0 } && value is JsonArray { Count: 0 }) continue;
            result[Text(key, null)] = value;
        }

        if (result["causes"] is JsonArray causes)
        {
            result["causes"] = new JsonArray([.. causes.OrderBy(c => string.Join('\0', c?["field"], c?["reason"], c?["message"]), StringComparer.Ordinal).Select(c => c?.DeepClone())]);
        }

        if (AsText(map["generateName"]) is { Length: > 0 } prefix && AsText(map["name"]) is { } name && name.StartsWith(prefix, StringComparison.Ordinal))
        {
            var shown = AsText(result["generateName"])!;
            if (AsText(result["name"]) is not { } written || written.Length < shown.Length || !written[shown.Length..].Contains("${", StringComparison.Ordinal)) result["name"] = shown + "${suffix}";
        }

        return result;
    }

    /// <summary>Bookmarks may come at any time; only the one that ends the initial events is part of an answer.</summary>
    private static bool IsProgress(JsonNode? e) => AsText(e?["type"]) == "BOOKMARK" && !e!.ToJsonString().Contains("initial-events-end", StringComparison.Ordinal);

    private void NormaliseTable(JsonArray columns, JsonArray rows)
    {
        var names = columns.Select(c => AsText(c?["type"]) == "date" ? "Age" : AsText(c?["name"])).ToList();
        foreach (var row in rows)
        {
            if (row?["cells"] is not JsonArray cells) continue;
            var (name, prefix) = (AsText(row["object"]?["metadata"]?["name"]), AsText(row["object"]?["metadata"]?["generateName"]));
            for (var i = 0; i < cells.Count; i++)
            {
                if (AsText(cells[i]) is { } cell) cells[i] = Cell(cell, i < names.Count ? names[i] : "Age", name, prefix);
            }
        }
    }

    private string Cell(string cell, string? column, string? name, string? prefix)
    {
        if (column is "Age" or "Last Seen" or "First Seen" or "Duration" or "Last Schedule" && Age().IsMatch(cell)) return "${age}";
        if (column == "Requestor" && cell == admin) return "${admin}";
        return prefix is { Length: > 0 } && cell == name
            ? prefix + "${suffix}"
            : PortInCell().Replace(cell, m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture) > LastStaticPort ? ":${nodePort}/" : m.Value);
    }

    /// <summary>A JSON web token becomes its claims, times counted from its issue.</summary>
    private JsonNode? TokenClaims(string token)
    {
        if (!TryDecode(token.Split('.')[1], out var claims)) return "${jwt}";
        var issued = Number(claims["iat"]) ?? 0;
        foreach (var (holder, name) in new[] { (claims, "exp"), (claims, "nbf"), (claims, "iat"), (claims["kubernetes.io"] as JsonObject, "warnafter") })
        {
            if (Number(holder?[name]) is { } at) holder![name] = at - issued;
        }

        return new JsonObject { ["$jwt"] = Value(claims, null) };
    }

    private static bool TryDecode(string part, out JsonObject claims)
    {
        claims = [];
        try
        {
            claims = JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(part)) as JsonObject ?? [];
            return true;
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            return false;
        }
    }

    /// <summary>Times within a day of now are this run's.</summary>
    private static string TimeOf(Match match)
        => !DateTimeOffset.TryParse(match.Value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) || (at - TimeProvider.System.GetUtcNow()).Duration() > TimeSpan.FromDays(1)
            ? match.Value
            : match.Groups[1].Success ? "${microtime}" : "${time}";

    private static string? AsText(JsonNode? node) => node?.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : null;

    private static long? Number(JsonNode? node) => node?.GetValueKind() == JsonValueKind.Number ? node.GetValue<long>() : null;

    [GeneratedRegex(@"-[a-z0-9]{5,10}$")]
    private static partial Regex Revision();

    [GeneratedRegex(@"(-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----\s*)+")]
    private static partial Regex Pem();

    [GeneratedRegex("X509SHA256=[0-9a-f]{64}")]
    private static partial Regex CertificateHash();

    [GeneratedRegex(@"\?hash=[0-9A-F]+")]
    private static partial Regex LinkHash();

    [GeneratedRegex(@"kube-api-access-[a-z0-9]{5}\b")]
    private static partial Regex AccessVolume();

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")]
    private static partial Regex Uid();

    [GeneratedRegex(@"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z")]
    private static partial Regex Time();

    [GeneratedRegex(@"\b10\.32\.0\.([0-9]{1,3})\b(?!/)")]
    private static partial Regex ServiceAddress();

    [GeneratedRegex(@"^eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+$")]
    private static partial Regex Token();

    [GeneratedRegex(@"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d|y)([0-9]+(s|m|h|d))*( ago)?$")]
    private static partial Regex Age();

    [GeneratedRegex(@":([0-9]{5})/")]
    private static partial Regex PortInCell();
}
