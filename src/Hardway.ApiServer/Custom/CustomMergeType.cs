using Hardway.Api.FieldManagement;
using Hardway.Api.Meta.V1;

namespace Hardway.ApiServer.Custom;

/// <summary>How server-side apply sees a custom resource: by its schema's list and map types.</summary>
internal sealed class CustomMergeType : MergeType
{
    private readonly StructuralSchema _schema;
    private readonly bool _isObject;

    private CustomMergeType(StructuralSchema schema, bool isRoot)
    {
        _schema = schema;
        _isObject = isRoot || schema.IsEmbedded;
        Keys = [.. schema.ListKeys.Select(k => (k, ListTypes.DefaultOf(schema, k)))];
    }

    public override MergeKind Kind => _schema.Type switch
    {
        "object" or "" when _schema.MapType != "atomic" && !_schema.IsIntOrString => MergeKind.Granular,
        "array" when _schema.ListType == "map" => MergeKind.Keyed,
        "array" when _schema.ListType == "set" => MergeKind.Set,
        _ => MergeKind.Atomic,
    };

    public override IReadOnlyList<(string Name, object? Default)> Keys { get; }

    public override MergeType Item => _schema.Items is { } items ? Of(items) : Atomic;

    public static MergeType OfRoot(StructuralSchema schema) => new CustomMergeType(schema, true);

    public override bool Declares(string name) => (_isObject && name is "metadata" or "apiVersion" or "kind") || _schema.Properties.ContainsKey(name);

    public override MergeType? Field(string name)
    {
        if (_isObject && name is "metadata")
        {
            return SchemaMergeType.Of(ObjectMeta.TypeSchema);
        }

        return _isObject && name is "apiVersion" or "kind" ? Atomic
            : _schema.Field(name) is { } field ? Of(field)
            : _schema.PreservesUnknown || _schema.AllowsAdditional ? Deduced
            : null;
    }

    private static MergeType Of(StructuralSchema schema) =>
        !schema.IsIntOrString && (schema.Type is "object" or "array" || schema.PreservesUnknown) ? schema.Type.Length == 0 && schema.Properties.Count == 0 ? Deduced : new CustomMergeType(schema, false) : Atomic;
}
