namespace Hardway.Storage.Encryption;

/// <summary>
/// Which transformer each resource has, compiled from an EncryptionConfiguration. The first entry that names the resource decides:
/// "secrets", "deployments.apps", "*.apps" (a whole group), "*." (the core group), "*.*" (everything). Immutable.
/// </summary>
public sealed class EncryptionModel
{
    private readonly IReadOnlyList<(IReadOnlyList<string> Resources, IValueTransformer Transformer)> _entries;

    internal EncryptionModel(IReadOnlyList<(IReadOnlyList<string> Resources, IValueTransformer Transformer)> entries) => _entries = entries;

    /// <summary>Nothing is encrypted.</summary>
    public static EncryptionModel None { get; } = new([]);

    public static EncryptionModel Parse(string yaml, string source) => new EncryptionConfigReader(source).Read(yaml);

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
