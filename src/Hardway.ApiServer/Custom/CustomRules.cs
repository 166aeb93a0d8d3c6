using Hardway.Api;
using Hardway.Api.ApiExtensions.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Handlers;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Rules;

namespace Hardway.ApiServer.Custom;

/// <summary>The rules of one version of a custom kind, read off its definition: its schema prunes, defaults and validates; its printer columns make the table.</summary>
internal sealed class CustomRules(CustomVersion version, CustomResourceDefinitionVersion definition) : KindRules
{
    private const string Creation = ".metadata.creationTimestamp";
    private readonly List<CustomResourceColumnDefinition> _columns = definition.AdditionalPrinterColumns is { Count: > 0 } given ? given : [new CustomResourceColumnDefinition { Name = "Age", Type = "date", JsonPath = Creation, Description = TablePrinter.AgeHelp }];

    public override bool HasStatus => version.HasStatus;

    public override bool HasGeneration => true;

    public override bool AllowUnconditionalUpdate => false;

    public override IReadOnlyList<Registry.SelectableField> SelectableFields { get; } = [.. (definition.SelectableFields ?? []).Select(f => new Registry.SelectableField(f.JsonPath.TrimStart('.')))];

    public override IReadOnlyList<TableColumn> Columns =>
        [.. _columns.Select(c => new TableColumn(c.Name, c.Type, c.Priority, c.Format, c.Description.Length > 0 ? c.Description : $"Custom resource definition column (in JSONPath format): {c.JsonPath}"))];

    public override IReadOnlyList<object?> Cells(KubeObject value, DateTimeOffset now)
    {
        var tree = ApiJson.ToTree(value);
        return [value.Metadata.Name, .. _columns.Select(c => Cell(c, JsonPathText.Find(tree, c.JsonPath), now))];
    }

    public override void Default(KubeObject value) => version.Shape(value);

    public override void Validate(RuleContext context, KubeObject value, ErrorList errors) => Validate(value, null, errors);

    public override void ValidateUpdate(RuleContext context, KubeObject value, KubeObject old, ErrorList errors) => Validate(value, old, errors);

    private void Validate(KubeObject value, KubeObject? old, ErrorList errors)
    {
        var tree = Tree(value);
        var before = old is null ? null : Tree(old);
        SchemaValidator.Validate(tree, before, old is not null, version.Schema, FieldPath.Root, errors);
        EmbeddedResources.Validate(tree, version.Schema, FieldPath.Root, isRoot: true, errors);
        ListTypes.Validate(tree, version.Schema, FieldPath.Root, errors);
        if (version.Validations is not { } rules)
        {
            ScaleIs(value, errors);
            return;
        }

        if (errors.Errors.Any(e => e.Reason is CauseReason.Required or CauseReason.TooLong or CauseReason.TooMany or CauseReason.TypeInvalid or CauseReason.NotSupported))
        {
            errors.Invalid(FieldPath.Root, "", "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation");
        }
        else
        {
            rules.Validate(tree, before, old is not null, FieldPath.Root, errors);
        }

        ScaleIs(value, errors);
    }

    private void ScaleIs(KubeObject value, ErrorList errors) => version.Scale?.Validate(value.Rest!, errors);

    /// <summary>All that the schema speaks of: the fields with kind, apiVersion and metadata.</summary>
    private static Dictionary<string, object?> Tree(KubeObject value) => new(value.Rest!, StringComparer.Ordinal)
    {
        ["apiVersion"] = value.ApiVersion,
        ["kind"] = value.Kind,
        ["metadata"] = new Dictionary<string, object?>(StringComparer.Ordinal) { ["name"] = value.Metadata.Name, ["generateName"] = value.Metadata.GenerateName.Length > 0 ? value.Metadata.GenerateName : null }
            .Where(m => m.Value is not null).ToDictionary(m => m.Key, m => m.Value, StringComparer.Ordinal),
    };

    private static object? Cell(CustomResourceColumnDefinition column, object? found, DateTimeOffset now) => (column.Type, found) switch
    {
        (_, null) => null,
        ("date", string text) => ApiTime.TryParse(text, out var time) ? Ages.Since(time, now) : "<invalid>",
        ("integer", double whole) => (long)whole,
        ("integer" or "number" or "boolean", long or double or bool) => found,
        ("integer" or "number" or "boolean", _) => null,
        _ => JsonPathText.Text(found),
    };
}
