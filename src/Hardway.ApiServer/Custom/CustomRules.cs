using Hardway.Api;
using Hardway.Api.ApiExtensions.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Rules;

namespace Hardway.ApiServer.Custom;

/// <summary>The rules of a custom kind, read off its definition: its schema prunes, defaults and validates; its printer columns make the table.</summary>
internal sealed class CustomRules(StructuralSchema schema, CustomResourceDefinitionVersion version) : KindRules
{
    private readonly List<CustomResourceColumnDefinition> _columns = version.AdditionalPrinterColumns ?? [new CustomResourceColumnDefinition { Name = "Age", Type = "date", JsonPath = ".metadata.creationTimestamp" }];

    public override bool HasStatus => version.Subresources?.Status is not null;

    public override bool HasGeneration => true;

    public override bool AllowUnconditionalUpdate => false;

    public override IReadOnlyList<string> GenerationFields { get; } = [.. schema.Properties.Keys.Where(k => k is not ("metadata" or "apiVersion" or "kind" or "status"))];

    public override IReadOnlyList<Registry.SelectableField> SelectableFields => [.. (version.SelectableFields ?? []).Select(f => new Registry.SelectableField(f.JsonPath.TrimStart('.')))];

    public override IReadOnlyList<TableColumn> Columns => [.. _columns.Select(c => new TableColumn(c.Name, c.Type, c.Priority, c.Format, c.Description))];

    public override IReadOnlyList<object?> Cells(KubeObject value, DateTimeOffset now)
    {
        var tree = ApiJson.ToTree(value);
        return [value.Metadata.Name, .. _columns.Select(c => Cell(c, JsonPathText.Find(tree, c.JsonPath), now))];
    }

    public override void Default(KubeObject value)
    {
        var tree = Tree(value);
        schema.Shape(tree);
        foreach (var field in value.StructSchema.Fields)
        {
            if (field.Shape.Kind == ShapeKind.Any)
            {
                value.Set(field.Ordinal, tree.GetValueOrDefault(field.Name));
            }
        }
    }

    public override void Validate(RuleContext context, KubeObject value, ErrorList errors)
    {
        var tree = Tree(value);
        foreach (var name in schema.Required.Where(n => n is not ("metadata" or "apiVersion" or "kind") && !tree.ContainsKey(n)))
        {
            errors.Required(FieldPath.Of(name));
        }

        foreach (var (name, item) in tree)
        {
            schema.Properties[name].Validate(item, FieldPath.Of(name), errors);
        }
    }

    private static Dictionary<string, object?> Tree(KubeObject value)
    {
        var tree = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var field in value.StructSchema.Fields)
        {
            if (field.Shape.Kind == ShapeKind.Any && value.Get(field.Ordinal) is { } item)
            {
                tree[field.Name] = item;
            }
        }

        return tree;
    }

    private static object? Cell(CustomResourceColumnDefinition column, object? found, DateTimeOffset now) => (column.Type, found) switch
    {
        (_, null) => null,
        ("date", string text) => ApiTime.TryParse(text, out var time) ? Ages.Since(time, now) : "<invalid>",
        ("integer" or "number" or "boolean", not string) => found,
        _ => JsonPathText.Text(found),
    };
}
