using Hardway.Api.FieldManagement;
using Hardway.Api.Meta.V1;

namespace Hardway.ApiServer.Custom;

/// <summary>How server-side apply sees a custom resource: by its schema's list and map types.</summary>
internal sealed class CustomMergeType : MergeType
{
    private readonly StructuralSchema _schema;
    private readonly bool _isRoot;

    private CustomMergeType(StructuralSchema schema, bool isRoot)
    {
        _schema = schema;
        _isRoot = isRoot;
    }

    public override MergeKind Kind => _schema.Type switch
    {
        "object" or "" when !_schema.IsAtomicMap => MergeKind.Granular,
        "array" when _schema.ListType == "map" => MergeKind.Keyed,
        "array" when _schema.ListType == "set" => MergeKind.Set,
        _ => MergeKind.Atomic,
    };

    public override IReadOnlyList<(string Name, object? Default)> Keys => [.. _schema.ListKeys.Select(k => (k, (object?)null))];

    public override MergeType Item => _schema.Items is { } items ? Of(items) : Atomic;

    public static MergeType OfRoot(StructuralSchema schema) => new CustomMergeType(schema, true);

    public override bool Declares(string name) => (_isRoot && name is "metadata" or "apiVersion" or "kind") || _schema.Properties.ContainsKey(name);

    public override MergeType? Field(string name)
    {
        if (_isRoot && name == "metadata")
        {
            return SchemaMergeType.Of(ObjectMeta.TypeSchema);
        }

        return _schema.Properties.TryGetValue(name, out var property) ? Of(property)
            : _schema.Additional is { } additional ? Of(additional)
            : _schema.PreservesUnknown || _schema.AllowsAdditional ? Deduced
            : null;
    }

    private static MergeType Of(StructuralSchema schema) => schema.Type is "object" or "array" || schema.PreservesUnknown ? new CustomMergeType(schema, false) : Atomic;
}
