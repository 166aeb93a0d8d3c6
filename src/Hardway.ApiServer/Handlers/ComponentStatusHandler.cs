using System.Diagnostics.CodeAnalysis;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Serving;
using Hardway.Storage;

namespace Hardway.ApiServer.Handlers;

/// <summary>
/// GET of componentstatuses (kubectl get cs): nothing is stored, the components are asked. The scheduler and the controller manager are looked for on this
/// machine, as upstream does.
/// </summary>
internal sealed class ComponentStatusHandler(ApiServices services)
{
    private const int MostBytes = 1024;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);
    private static readonly (string Name, Uri Health)[] s_components =
        [("controller-manager", new Uri("https://127.0.0.1:10257/healthz")), ("scheduler", new Uri("https://127.0.0.1:10259/healthz"))];

    private readonly Lazy<HttpClient> _http = new(NewClient);

    public async Task GetAsync(RequestContext context, ServedResource resource)
    {
        var negotiation = Negotiation.Of(context.Request, resource.Offer);
        var all = await AllAsync(context.Aborted).ConfigureAwait(false);
        var found = all.Find(c => c.Metadata.Name == context.Info.Name) ?? throw Statuses.NotFound("", resource.Rules.ErrorName!, context.Info.Name);
        await ObjectResponse.WriteAsync(context, services, resource, 200, ApiJson.Serialize(found), negotiation, found).ConfigureAwait(false);
    }

    public async Task ListAsync(RequestContext context, ServedResource resource)
    {
        var negotiation = Negotiation.Of(context.Request, resource.Offer);
        var all = await AllAsync(context.Aborted).ConfigureAwait(false);
        ApiStruct answer = negotiation.As switch
        {
            Representation.Table => Table(context, resource, all, negotiation),
            Representation.Object => new ComponentStatusList { Items = Bare(all) },
            _ => throw Statuses.NotAcceptable("the health of components has no metadata to show", details: false),
        };
        await ResponseWriter.WriteAsync(context, 200, answer, negotiation.Media).ConfigureAwait(false);
    }

    private Hardway.Api.Meta.V1.Table Table(RequestContext context, ServedResource resource, List<ComponentStatus> all, Negotiation negotiation)
    {
        var table = TablePrinter.Make(resource, all, services.Time.GetUtcNow(), TablePrinter.IncludeObject(context));
        table.ApiVersion = negotiation.ApiVersion;
        return table;
    }

    /// <summary>Items of a list do not repeat its kind.</summary>
    private static List<ComponentStatus> Bare(List<ComponentStatus> all)
    {
        foreach (var item in all)
        {
            (item.Kind, item.ApiVersion) = ("", "");
        }

        return all;
    }

    private async Task<List<ComponentStatus>> AllAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_patience);
        var asked = s_components.Select(c => AskAsync(c.Name, () => HealthAsync(c.Health, limit.Token))).Append(AskAsync("etcd-0", () => StoreAsync(limit.Token)));
        return [.. (await Task.WhenAll(asked).ConfigureAwait(false)).OrderBy(c => c.Metadata.Name, StringComparer.Ordinal)];
    }

    private static async Task<ComponentStatus> AskAsync(string name, Func<Task<(bool IsHealthy, string Message)>> ask)
    {
        var (healthy, message) = (false, "");
        try
        {
            (healthy, message) = await ask().ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or StoreException or IOException)
        {
            message = e.Message;
        }
        catch (OperationCanceledException)
        {
            message = $"no answer within {s_patience.TotalSeconds} s";
        }

        return new ComponentStatus { Metadata = { Name = name }, Conditions = [new ComponentCondition { Type = "Healthy", Status = healthy ? "True" : "False", Message = message }] };
    }

    private async Task<(bool, string)> HealthAsync(Uri health, CancellationToken cancellationToken)
    {
        using var answer = await _http.Value.GetAsync(health, cancellationToken).ConfigureAwait(false);
        var text = await answer.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
        return (answer.IsSuccessStatusCode, text);
    }

    private async Task<(bool, string)> StoreAsync(CancellationToken cancellationToken)
    {
        await services.Objects.Store.CurrentRevisionAsync(cancellationToken).ConfigureAwait(false);
        return (true, "ok");
    }

    [SuppressMessage("Security", "CA5359", Justification = "Nothing is sent and only health is read; components make their own certificates.")]
    private static HttpClient NewClient()
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        return new HttpClient(handler) { MaxResponseContentBufferSize = MostBytes };
    }
}
