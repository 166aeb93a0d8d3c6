using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Hardway.Api;
using Hardway.Hosting;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Extenders;

/// <summary>An extender over HTTP: JSON by POST to its verbs. Safe for all threads.</summary>
internal sealed class HttpExtender : IDisposable
{
    private const int MaxAnswer = 64 << 20;
    private static readonly JsonNodeOptions s_anyCase = new() { PropertyNameCaseInsensitive = true };
    private readonly HttpClient _http;

    public HttpExtender(ExtenderConfig config)
    {
        Config = config;
        var handler = new SocketsHttpHandler();
        if (config.Tls is { } tls)
        {
            handler.SslOptions = Trust(tls);
        }

        _http = new HttpClient(handler) { Timeout = config.Timeout, MaxResponseContentBufferSize = MaxAnswer };
    }

    public ExtenderConfig Config { get; }

    public void Dispose() => _http.Dispose();

    public bool Interested(PodInfo pod) =>
        Config.ManagedResources.Count == 0
        || (pod.Pod.Spec.Containers ?? []).Concat(pod.Pod.Spec.InitContainers ?? [])
            .Any(c => Config.ManagedResources.Any(r => c.Resources.Requests?.ContainsKey(r) == true || c.Resources.Limits?.ContainsKey(r) == true));

    /// <summary>The nodes that it leaves, and why it took others away; the second list cannot be helped by preemption.</summary>
    public async Task<(HashSet<string> Left, Dictionary<string, string> Failed, Dictionary<string, string> Hopeless)> FilterAsync(
        PodInfo pod, IReadOnlyList<NodeInfo> nodes, CancellationToken cancel)
    {
        var answer = (await CallAsync(Config.FilterVerb, Arguments(pod, nodes), cancel).ConfigureAwait(false))!;
        if ((string?)answer["error"] is { Length: > 0 } error)
        {
            throw new HttpRequestException($"extender {Config.UrlPrefix}: {error}");
        }

        var names = Config.NodeCacheCapable && answer["nodenames"] is JsonArray list
            ? list.Select(n => (string?)n)
            : answer["nodes"]?["items"] is JsonArray items ? items.Select(n => (string?)n?["metadata"]?["name"]) : [];
        return (names.OfType<string>().ToHashSet(StringComparer.Ordinal), Reasons(answer["failedNodes"]), Reasons(answer["failedAndUnresolvableNodes"]));
    }

    /// <summary>Scores up to 10.</summary>
    public async Task<Dictionary<string, long>> PrioritizeAsync(PodInfo pod, IReadOnlyList<NodeInfo> nodes, CancellationToken cancel)
    {
        var answer = await CallAsync(Config.PrioritizeVerb, Arguments(pod, nodes), cancel).ConfigureAwait(false);
        var scores = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var entry in answer as JsonArray ?? [])
        {
            if ((string?)entry?["host"] is { } host)
            {
                scores[host] = (long?)entry["score"] ?? 0;
            }
        }

        return scores;
    }

    public async Task BindAsync(PodInfo pod, string node, CancellationToken cancel)
    {
        var answer = await CallAsync(
            Config.BindVerb,
            new JsonObject { ["PodName"] = pod.Pod.Metadata.Name, ["PodNamespace"] = pod.Namespace, ["PodUID"] = pod.Uid, ["Node"] = node },
            cancel).ConfigureAwait(false);
        if ((string?)answer?["error"] is { Length: > 0 } error)
        {
            throw new HttpRequestException($"extender {Config.UrlPrefix}: {error}");
        }
    }

    /// <summary>The candidates that it agrees to: for each node the uids of the victims, and how many violate a budget.</summary>
    public async Task<Dictionary<string, (HashSet<string> Uids, int Violations)>> PreemptAsync(
        PodInfo pod, IReadOnlyList<Framework.PreemptionCandidate> candidates, CancellationToken cancel)
    {
        var victims = new JsonObject();
        foreach (var candidate in candidates)
        {
            victims[candidate.Node] = new JsonObject
            {
                ["Pods"] = new JsonArray([.. candidate.Victims.Select(v => Config.NodeCacheCapable ? new JsonObject { ["UID"] = v.Uid } : Object(v.Pod))]),
                ["NumPDBViolations"] = candidate.Violations,
            };
        }

        var arguments = new JsonObject { ["Pod"] = Object(pod.Pod), [Config.NodeCacheCapable ? "NodeNameToMetaVictims" : "NodeNameToVictims"] = victims };
        var answer = await CallAsync(Config.PreemptVerb, arguments, cancel).ConfigureAwait(false);
        var agreed = new Dictionary<string, (HashSet<string>, int)>(StringComparer.Ordinal);
        foreach (var (node, entry) in answer?["nodeNameToMetaVictims"] as JsonObject ?? [])
        {
            var uids = (entry?["pods"] as JsonArray ?? []).Select(p => (string?)p?["uid"]).OfType<string>();
            agreed[node] = (uids.ToHashSet(StringComparer.Ordinal), (int?)entry?["numPDBViolations"] ?? 0);
        }

        return agreed;
    }

    private JsonObject Arguments(PodInfo pod, IReadOnlyList<NodeInfo> nodes) => new()
    {
        ["Pod"] = Object(pod.Pod),
        ["Nodes"] = Config.NodeCacheCapable ? null
            : new JsonObject { ["metadata"] = new JsonObject(), ["items"] = new JsonArray([.. nodes.Where(n => n.Node is not null).Select(n => Object(n.Node!))]) },
        ["NodeNames"] = Config.NodeCacheCapable ? new JsonArray([.. nodes.Select(n => (JsonNode)n.Name)]) : null,
    };

    private static JsonNode Object(ApiStruct value) => JsonNode.Parse(ApiJson.Serialize(value))!;

    private static Dictionary<string, string> Reasons(JsonNode? map) =>
        (map as JsonObject ?? []).ToDictionary(e => e.Key, e => (string?)e.Value ?? "", StringComparer.Ordinal);

    private async Task<JsonNode?> CallAsync(string verb, JsonObject arguments, CancellationToken cancel)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            arguments.WriteTo(writer);
        }

        using var content = new ByteArrayContent(stream.ToArray());
        content.Headers.ContentType = new("application/json");
        try
        {
            using var response = await _http.PostAsync(new Uri($"{Config.UrlPrefix.ToString().TrimEnd('/')}/{verb}"), content, cancel).ConfigureAwait(false);
            var bytes = await response.Content.ReadAsByteArrayAsync(cancel).ConfigureAwait(false);
            return response.IsSuccessStatusCode ? JsonNode.Parse(bytes, s_anyCase)
                : throw new HttpRequestException($"extender {Config.UrlPrefix}: {verb} answered {(int)response.StatusCode}");
        }
        catch (OperationCanceledException e) when (!cancel.IsCancellationRequested)
        {
            throw new HttpRequestException($"extender {Config.UrlPrefix}: {verb} did not answer within {GoDuration.Format(Config.Timeout)}", e);
        }
        catch (JsonException e)
        {
            throw new HttpRequestException($"extender {Config.UrlPrefix}: {verb} answered what is no JSON: {e.Message}", e);
        }
    }

    [SuppressMessage("Security", "CA5359", Justification = "Asked for by the configuration, and told at start.")]
    private static SslClientAuthenticationOptions Trust(ExtenderTlsConfig tls)
    {
        var options = new SslClientAuthenticationOptions { EnabledSslProtocols = SslProtocols.None };
        if (tls.ServerName.Length > 0)
        {
            options.TargetHost = tls.ServerName;
        }

        if (tls is { Certificate: { } certificate, Key: { } key })
        {
            options.ClientCertificates = [X509Certificate2.CreateFromPem(Encoding.ASCII.GetString(certificate), Encoding.ASCII.GetString(key))];
        }

        if (tls.Insecure)
        {
            options.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        }
        else if (tls.Authority is { } authority)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.ImportFromPem(Encoding.ASCII.GetString(authority));
            options.CertificateChainPolicy = policy;
        }

        return options;
    }
}
