using System.Security.Cryptography;
using System.Text;
using Hardway.Api;
using Hardway.Api.ApiExtensions.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using Hardway.Storage.Cache;

namespace Hardway.ApiServer.Custom;

/// <summary>
/// One version of a custom kind. What is stored may be of another version or of an older schema: it is shown in this version, pruned and with its
/// defaults, and goes back to the store in the storage version. Immutable, safe for all threads.
/// </summary>
internal sealed class CustomVersion
{
    private static readonly string[] s_verbs = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
    private static readonly string[] s_partVerbs = ["get", "patch", "update"];
    private readonly CustomKind _kind;

    public CustomVersion(CustomKind kind, CustomResourceDefinitionVersion version)
    {
        _kind = kind;
        Name = version.Name;
        Schema = new StructuralSchema(version.Schema?.OpenAPIV3Schema is { } schema ? ApiJson.ToTree(schema) : new Dictionary<string, object?>());
        Validations = SchemaRules.OfRoot(Schema);
        HasStatus = version.Subresources?.Status is not null;
        Scale = version.Subresources?.Scale is { } scale ? new CustomScale(scale) : null;
        Deprecation = !version.Deprecated ? null : version.DeprecationWarning is { Length: > 0 } text ? text : $"{kind.Group}/{version.Name} {kind.Names.Kind} is deprecated";
        Info = MakeInfo(kind, version);
        Rules = new CustomRules(this, version);
    }

    public string Name { get; }

    public StructuralSchema Schema { get; }

    /// <summary>The definition is being deleted: nothing new is made.</summary>
    public bool IsTerminating => _kind.IsTerminating;

    /// <summary>Null where the schema has no rules.</summary>
    public SchemaRules? Validations { get; }

    public bool HasStatus { get; }

    public CustomScale? Scale { get; }

    /// <summary>The warning for each request; null for a version that is not deprecated.</summary>
    public string? Deprecation { get; }

    public ResourceInfo Info { get; }

    public CustomRules Rules { get; }

    /// <summary>Pruned, then defaulted, then without the nulls that may not be.</summary>
    /// <param name="value">Changed in place.</param>
    /// <param name="gone">Where the paths of unknown fields are added.</param>
    public void Shape(KubeObject value, List<string>? gone = null)
    {
        var rest = value.Rest!;
        SchemaShape.PruneRoot(rest, Schema, gone);
        SchemaShape.Default(rest, Schema);
        SchemaShape.DropNulls(rest, Schema);
    }

    /// <summary>The stored object as this version shows it; itself when there is nothing to change.</summary>
    public async ValueTask<CachedObject> ShowAsync(CachedObject stored, CancellationToken cancellationToken) =>
        Known(stored) ?? (await ShowAsync([stored], cancellationToken).ConfigureAwait(false))[0];

    /// <summary>Many at once: a webhook is asked once.</summary>
    public async ValueTask<List<CachedObject>> ShowAsync(IReadOnlyList<CachedObject> stored, CancellationToken cancellationToken)
    {
        var shown = stored.Select(Known).ToList();
        var foreign = new List<(int At, CustomObject Value)>();
        for (var i = 0; i < shown.Count; i++)
        {
            if (shown[i] is not null || stored[i].Error is not null)
            {
                shown[i] ??= stored[i];
                continue;
            }

            var value = Decode(stored[i]);
            if (value.ApiVersion == Info.ApiVersion)
            {
                Shape(value);
                shown[i] = Remember(stored[i], With(stored[i], value));
            }
            else
            {
                _kind.Version(value.ApiVersion)?.Shape(value);
                foreign.Add((i, value));
            }
        }

        if (foreign.Count > 0)
        {
            var converted = await _kind.Conversion.ConvertAsync(foreign.ConvertAll(f => f.Value), Info, cancellationToken).ConfigureAwait(false);
            for (var i = 0; i < foreign.Count; i++)
            {
                SchemaShape.PruneRoot(converted[i].Rest, Schema, null);
                var at = foreign[i].At;
                shown[at] = With(stored[at], converted[i]);
                if (!_kind.Conversion.AsksOthers)
                {
                    Remember(stored[at], shown[at]!);
                }
            }
        }

        return shown.ConvertAll(s => s!);
    }

    /// <summary>A change as this version shows it.</summary>
    public async ValueTask<CacheEvent> ShowAsync(CacheEvent change, CancellationToken cancellationToken)
    {
        if (change.Object is null)
        {
            return change;
        }

        var now = await ShowAsync(change.Object, cancellationToken).ConfigureAwait(false);
        var before = change.Previous is null ? null : await ShowAsync(change.Previous, cancellationToken).ConfigureAwait(false);
        return now == change.Object && before == change.Previous ? change : new CacheEvent
        {
            Type = change.Type,
            Revision = change.Revision,
            Object = now,
            Previous = before,
            EndsInitialState = change.EndsInitialState,
        };
    }

    /// <summary>What is written to the store: the object in the storage version, without what its schema does not know.</summary>
    public async ValueTask<byte[]> StoreAsync(KubeObject value, byte[] encoded, CancellationToken cancellationToken)
    {
        if (_kind.Storage == this)
        {
            return encoded;
        }

        var copy = (CustomObject)value.DeepClone();
        var stored = (await _kind.Conversion.ConvertAsync([copy], _kind.Storage.Info, cancellationToken).ConfigureAwait(false))[0];
        SchemaShape.PruneRoot(stored.Rest, _kind.Storage.Schema, null);
        return StoredForm.Encode(stored);
    }

    /// <summary>An object of another version of the kind in this one; a copy. What is of this version is answered as it is.</summary>
    public async ValueTask<CustomObject> FromAsync(CustomObject value, CancellationToken cancellationToken)
    {
        if (value.ApiVersion == Info.ApiVersion)
        {
            return value;
        }

        var converted = (await _kind.Conversion.ConvertAsync([(CustomObject)value.DeepClone()], Info, cancellationToken).ConfigureAwait(false))[0];
        SchemaShape.PruneRoot(converted.Rest, Schema, null);
        return converted;
    }

    private CachedObject? Known(CachedObject stored) => (stored.Tag as ObjectSlot)?.Shown is { } shown && shown.For == this ? shown.Object : null;

    private CachedObject Remember(CachedObject stored, CachedObject shown)
    {
        if (stored.Tag is ObjectSlot slot)
        {
            slot.Shown = new ShownObject(this, shown);
        }

        return shown;
    }

    private CustomObject Decode(CachedObject stored)
    {
        try
        {
            return (CustomObject)ApiJson.Deserialize(Info.Type, stored.Json.Span);
        }
        catch (ApiDecodeException e)
        {
            throw Statuses.Internal($"{stored.Key}: {e.Message}", e);
        }
    }

    private static CachedObject With(CachedObject stored, CustomObject value)
    {
        var json = ApiJson.Serialize(value);
        return json.AsSpan().SequenceEqual(stored.Json.Span) ? stored : new CachedObject
        {
            Key = stored.Key,
            Name = stored.Name,
            Namespace = stored.Namespace,
            ResourceVersion = stored.ResourceVersion,
            Json = json,
            Labels = value.Metadata.Labels ?? stored.Labels,
            Fields = stored.Fields,
            Tag = new ObjectSlot(),
        };
    }

    private static ResourceInfo MakeInfo(CustomKind kind, CustomResourceDefinitionVersion version)
    {
        var (group, names) = (kind.Group, kind.Names);
        var type = CustomObject.NewType(group, version.Name, names.Kind);
        var parts = new List<SubresourceInfo>();
        if (version.Subresources?.Status is not null)
        {
            parts.Add(new SubresourceInfo("status", names.Kind, group, version.Name, s_partVerbs, () => type));
        }

        if (version.Subresources?.Scale is not null)
        {
            parts.Add(new SubresourceInfo("scale", "Scale", "autoscaling", "v1", s_partVerbs, () => Hardway.Api.Autoscaling.V1.Scale.TypeSchema));
        }

        return new ResourceInfo(group, version.Name, names.Plural, names.Singular, names.Kind, kind.IsNamespaced, () => type, null)
        {
            Verbs = s_verbs,
            ShortNames = [.. names.ShortNames ?? []],
            Categories = [.. names.Categories ?? []],
            OnByDefault = true,
            DiscoveryOrder = 1000,
            StorageVersionHash = version.Storage ? HashOf($"{group}/{version.Name}/{names.Kind}") : "",
            Subresources = [.. parts],
        };
    }

    /// <summary>Eight bytes of a SHA-256, in base64, as upstream makes it.</summary>
    private static string HashOf(string text) => Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 8));
}
