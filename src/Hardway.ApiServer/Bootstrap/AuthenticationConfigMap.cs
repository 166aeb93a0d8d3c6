using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Authentication;
using Hardway.ApiServer.Configuration;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Bootstrap;

/// <summary>
/// kube-system/extension-apiserver-authentication: how aggregated servers tell who sends a request that this server passes on: the
/// authorities of client certificates and of front proxies, and the headers of these. Several servers write the same.
/// </summary>
internal sealed class AuthenticationConfigMap(AuthenticationOptions options, IResourceReader reader, IResourceWriter writer)
{
    private const string Namespace = "kube-system";
    private const string Name = "extension-apiserver-authentication";

    public async Task EnsureAsync(CancellationToken cancellationToken)
    {
        var wanted = Data();
        if (wanted.Count == 0)
        {
            return;
        }

        var existing = reader.Get<ConfigMap>(Namespace, Name) ?? await reader.GetFreshAsync<ConfigMap>(Namespace, Name, cancellationToken).ConfigureAwait(false);
        if (existing is null)
        {
            try
            {
                await writer.CreateAsync(new ConfigMap { Metadata = { Namespace = Namespace, Name = Name }, Data = wanted }, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (ApiException e) when (e.IsAlreadyExists)
            {
                // Another server was faster; what is missing is added to it.
            }
        }

        await writer.UpdateAsync<ConfigMap>(Namespace, Name, current =>
        {
            var data = current.Data ??= new(StringComparer.Ordinal);
            var changed = false;
            foreach (var (key, value) in wanted)
            {
                changed |= data.GetValueOrDefault(key) != value;
                data[key] = value;
            }

            return changed ? current : null;
        }, cancellationToken).ConfigureAwait(false);
    }

    private Dictionary<string, string> Data()
    {
        var data = new Dictionary<string, string>(StringComparer.Ordinal);
        if (options.ClientCaFile.Length > 0)
        {
            data["client-ca-file"] = ConfigFile.ReadText(options.ClientCaFile);
        }

        if (options.RequestHeaderClientCaFile.Length > 0)
        {
            data["requestheader-client-ca-file"] = ConfigFile.ReadText(options.RequestHeaderClientCaFile);
            data["requestheader-allowed-names"] = List(options.RequestHeaderAllowedNames);
            data["requestheader-username-headers"] = List(options.RequestHeaderUsernames);
            data["requestheader-uid-headers"] = List(options.RequestHeaderUids);
            data["requestheader-group-headers"] = List(options.RequestHeaderGroups);
            data["requestheader-extra-headers-prefix"] = List(options.RequestHeaderExtraPrefixes);
        }

        return data;
    }

    private static string List(IReadOnlyList<string> values) => System.Text.Encoding.UTF8.GetString(ApiJson.SerializeTree(values.Cast<object?>().ToList()));
}
