using Hardway.Api;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Handlers;

/// <summary>Tables for kubectl get: the kind's columns, or Name and Age.</summary>
internal static class TablePrinter
{
    private const string NameHelp = "The object's name, unique among objects of its kind in its namespace.";
    public const string AgeHelp = "When the object was made, in UTC.";

    public static string IncludeObject(RequestContext context)
    {
        var wish = context.Request.Query["includeObject"].ToString();
        return wish switch
        {
            "" or "Metadata" => "Metadata",
            "None" or "Object" => wish,
            _ => throw Statuses.BadRequest($"unrecognized includeObject value: \"{wish}\""),
        };
    }

    public static Table Make(ServedResource resource, IReadOnlyList<KubeObject> values, DateTimeOffset now, string includeObject, bool columns = true)
    {
        var rules = resource.Rules;
        var table = new Table
        {
            Kind = "Table",
            ApiVersion = "meta.k8s.io/v1",
            ColumnDefinitions = columns ? Columns(rules) : null,
            Rows = [],
        };
        foreach (var value in values)
        {
            table.Rows.Add(Row(resource, value, now, includeObject));
        }

        return table;
    }

    private static List<TableColumnDefinition> Columns(KindRules rules)
    {
        var all = new List<TableColumnDefinition> { new() { Name = "Name", Type = "string", Format = "name", Description = NameHelp } };
        foreach (var column in rules.Columns ?? [new TableColumn("Created At", "date", Description: AgeHelp)])
        {
            all.Add(new TableColumnDefinition { Name = column.Name, Type = column.Type, Format = column.Format, Description = column.Description ?? ColumnDescriptions.Of(column.Name), Priority = column.Priority });
        }

        return all;
    }

    private static TableRow Row(ServedResource resource, KubeObject value, DateTimeOffset now, string includeObject)
    {
        var rules = resource.Rules;
        IReadOnlyList<object?> cells = rules.Columns is null
            ? [value.Metadata.Name, value.Metadata.CreationTimestamp is { } created ? ApiTime.Format(created) : "<unknown>"]
            : rules.Cells(value, now);
        return new TableRow
        {
            Cells = [.. cells.Select(Cell)],
            Object = includeObject switch
            {
                "None" => null,
                "Object" => ApiJson.ToTree(VersionConversion.Convert(value, resource.Registry.Storage, resource.Info)),
                _ => ApiJson.ToTree(ObjectResponse.Partial(resource, value)),
            },
        };
    }

    private static object? Cell(object? value) => value switch
    {
        int i => (long)i,
        DateTimeOffset time => ApiTime.Format(time),
        _ => value,
    };
}
