using System.Collections.Concurrent;
using System.Text;
using Hardway.Api.Core.V1;
using Hardway.Kubelet.Sources;

namespace Hardway.Kubelet.Volumes;

/// <summary>
/// The files of volumes made from API data. Tokens are kept until four fifths of their life (at most 24 hours) have passed; then a new one is
/// asked for, and the old one stays in use when that fails. Safe for many threads.
/// </summary>
internal sealed class ProjectedData(ApiObjects objects, NodeFacts node, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, HeldToken> _tokens = new(StringComparer.Ordinal);

    private sealed record HeldToken(string Token, DateTimeOffset Issued, DateTimeOffset Expires);

    public async Task<IReadOnlyList<VolumeFile>> ConfigMapAsync(Pod pod, string name, List<KeyToPath>? items, bool optional, UnixFileMode mode, CancellationToken stop)
    {
        var map = await objects.ConfigMapAsync(pod.Metadata.Namespace, name, stop);
        if (map == null && !optional)
            throw new VolumeException($"configmap \"{name}\" not found");
        var values = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var (key, value) in map?.Data ?? [])
            values[key] = Encoding.UTF8.GetBytes(value);
        foreach (var (key, value) in map?.BinaryData ?? [])
            values[key] = value ?? [];
        return Select(values, items, optional, mode, $"configmap \"{name}\"");
    }

    public async Task<IReadOnlyList<VolumeFile>> SecretAsync(Pod pod, string name, List<KeyToPath>? items, bool optional, UnixFileMode mode, CancellationToken stop)
    {
        var secret = await objects.SecretAsync(pod.Metadata.Namespace, name, stop);
        if (secret == null && !optional)
            throw new VolumeException($"secret \"{name}\" not found");
        return Select((secret?.Data ?? []).ToDictionary(p => p.Key, p => p.Value ?? []), items, optional, mode, $"secret \"{name}\"");
    }

    public static IReadOnlyList<VolumeFile> Downward(Pod pod, List<DownwardAPIVolumeFile>? items, UnixFileMode mode, IReadOnlyList<string> podIps, NodeFacts node) =>
    [
        .. (items ?? []).Select(item => new VolumeFile(
            item.Path,
            Encoding.UTF8.GetBytes(item.FieldRef is { } field
                ? DownwardFields.Field(pod, field.FieldPath, podIps, node.Ips)
                : DownwardFields.Resource(pod, item.ResourceFieldRef!.ContainerName, item.ResourceFieldRef, node.Allocatable)),
            item.Mode is { } own ? (UnixFileMode)own : mode)),
    ];

    public async Task<IReadOnlyList<VolumeFile>> ProjectedAsync(Pod pod, string volume, ProjectedVolumeSource source, UnixFileMode mode, IReadOnlyList<string> podIps, CancellationToken stop)
    {
        var parts = await Task.WhenAll((source.Sources ?? []).Select(s => SourceAsync(pod, volume, s, mode, podIps, stop)));
        return [.. parts.SelectMany(p => p)];
    }

    public void Forget(string uid)
    {
        foreach (var key in _tokens.Keys)
        {
            if (key.StartsWith(uid + "/", StringComparison.Ordinal))
                _tokens.TryRemove(key, out _);
        }
    }

    private async Task<IReadOnlyList<VolumeFile>> SourceAsync(Pod pod, string volume, VolumeProjection source, UnixFileMode mode, IReadOnlyList<string> podIps, CancellationToken stop)
    {
        if (source.ConfigMap is { } map)
            return await ConfigMapAsync(pod, map.Name, map.Items, map.Optional == true, mode, stop);
        if (source.Secret is { } secret)
            return await SecretAsync(pod, secret.Name, secret.Items, secret.Optional == true, mode, stop);
        if (source.DownwardAPI is { } downward)
            return Downward(pod, downward.Items, mode, podIps, node);
        if (source.ServiceAccountToken is { } token)
            return [await TokenAsync(pod, volume, token, mode, stop)];
        throw new VolumeException("a source of a projected volume is of a kind that this kubelet does not support; configMap, secret, downwardAPI and serviceAccountToken are");
    }

    private async Task<VolumeFile> TokenAsync(Pod pod, string volume, ServiceAccountTokenProjection source, UnixFileMode mode, CancellationToken stop)
    {
        var key = $"{pod.Metadata.Uid}/{volume}/{source.Path}/{source.Audience}";
        var now = time.GetUtcNow();
        if (!_tokens.TryGetValue(key, out var held) || NeedsRefresh(held, now))
        {
            try
            {
                var (token, expires) = await objects.TokenAsync(pod, source.Audience, source.ExpirationSeconds ?? 3600, stop);
                _tokens[key] = held = new HeldToken(token, now, expires);
            }
            catch (Exception e) when (held != null && held.Expires > now && e is Client.ApiException or HttpRequestException)
            {
                // The old one is good for a while yet.
            }
        }
        var groupMode = pod.Spec.SecurityContext?.FsGroup != null ? UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead : mode;
        var uid = pod.Spec.SecurityContext?.FsGroup == null ? SingleUser(pod) : null;
        if (uid != null)
            groupMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new VolumeFile(source.Path, Encoding.UTF8.GetBytes(held!.Token), groupMode, uid);
    }

    /// <summary>When all containers run as one user, only that user may read the token.</summary>
    private static long? SingleUser(Pod pod)
    {
        var users = Qos.PodQos.AllContainers(pod).Select(c => c.SecurityContext?.RunAsUser ?? pod.Spec.SecurityContext?.RunAsUser).Distinct().ToList();
        return users.Count == 1 ? users[0] : null;
    }

    private static bool NeedsRefresh(HeldToken held, DateTimeOffset now) =>
        now > held.Issued + (held.Expires - held.Issued) * 0.8 || now > held.Issued + TimeSpan.FromHours(24);

    private static IReadOnlyList<VolumeFile> Select(Dictionary<string, byte[]> values, List<KeyToPath>? items, bool optional, UnixFileMode mode, string what)
    {
        if (items is not { Count: > 0 })
            return [.. values.Select(p => new VolumeFile(p.Key, p.Value, mode))];
        var result = new List<VolumeFile>();
        foreach (var item in items)
        {
            if (values.TryGetValue(item.Key, out var value))
                result.Add(new VolumeFile(item.Path, value, item.Mode is { } own ? (UnixFileMode)own : mode));
            else if (!optional)
                throw new VolumeException($"{what} references non-existent key: {item.Key}");
        }
        return result;
    }
}
