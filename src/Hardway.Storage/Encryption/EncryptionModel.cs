namespace Hardway.Storage.Encryption;

/// <summary>
/// Which transformer each resource has, compiled from an EncryptionConfiguration. The first entry that names the resource decides:
/// "secrets", "deployments.apps", "*.apps" (a whole group), "*." (the core group), "*.*" (everything). Immutable.
/// </summary>
public sealed class EncryptionModel : IDisposable
{
    private readonly IReadOnlyList<(IReadOnlyList<string> Resources, IValueTransformer Transformer)> _entries;

    internal EncryptionModel(IReadOnlyList<(IReadOnlyList<string> Resources, IValueTransformer Transformer)> entries) => _entries = entries;

    /// <summary>Nothing is encrypted.</summary>
    public static EncryptionModel None { get; } = new([]);

    public static EncryptionModel Parse(string yaml, string source, TimeProvider? time = null) => new EncryptionConfigReader(source, time ?? TimeProvider.System).Read(yaml);

    /// <summary>Do the key management servers answer? What is wrong, or null.</summary>
    public async ValueTask<string?> HealthAsync(CancellationToken cancellationToken)
    {
        foreach (var (_, transformer) in _entries)
        {
            if (await transformer.HealthAsync(cancellationToken).ConfigureAwait(false) is { } wrong)
            {
                return wrong;
            }
        }

        return null;
    }

    public void Dispose()
    {
        foreach (var (_, transformer) in _entries)
        {
            (transformer as IDisposable)?.Dispose();
        }
    }

    public IValueTransformer For(string group, string resource)
    {
        foreach (var (resources, transformer) in _entries)
        {
            if (resources.Any(r => Matches(r, group, resource)))
            {
                return transformer;
            }
        }

        return IdentityTransformer.Instance;
    }

    private static bool Matches(string pattern, string group, string resource)
    {
        var dot = pattern.IndexOf('.', StringComparison.Ordinal);
        var (patternResource, patternGroup) = dot < 0 ? (pattern, "") : (pattern[..dot], pattern[(dot + 1)..]);
        return (patternGroup == "*" && patternResource == "*") || (patternGroup == group && (patternResource == "*" || patternResource == resource));
    }
}
