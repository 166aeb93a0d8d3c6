namespace Hardway.Api.FieldManagement;

/// <summary>An entry of metadata.managedFields, taken apart.</summary>
internal sealed class ManagedEntry(string manager, string operation, string apiVersion, string subresource, DateTimeOffset time, FieldSet fields)
{
    public string Manager { get; set; } = manager;

    public string Operation { get; } = operation;

    public string ApiVersion { get; } = apiVersion;

    public string Subresource { get; } = subresource;

    public DateTimeOffset Time { get; set; } = time;

    public FieldSet Fields { get; set; } = fields;

    public static ManagedEntry? Find(List<ManagedEntry> entries, FieldWriter writer, string operation) =>
        entries.Find(e => e.Manager == writer.Manager && e.Operation == operation && e.ApiVersion == writer.ApiVersion && e.Subresource == writer.Subresource);

    public static List<ManagedEntry> ReadAll(List<object?>? list)
    {
        var entries = new List<ManagedEntry>();
        foreach (var item in (list ?? []).OfType<Dictionary<string, object?>>())
        {
            var time = ApiTime.TryParse(Text(item, "time"), out var parsed) ? parsed : default;
            entries.Add(new ManagedEntry(Text(item, "manager"), Text(item, "operation"), Text(item, "apiVersion"), Text(item, "subresource"), time, FieldSet.Parse(item.GetValueOrDefault("fieldsV1"))));
        }

        return entries;
    }

    /// <summary>Appliers first, then updaters, each by time and name.</summary>
    public static List<object?> WriteAll(List<ManagedEntry> entries) =>
        [.. entries.OrderBy(e => e.Operation, StringComparer.Ordinal).ThenBy(e => ApiTime.Format(e.Time), StringComparer.Ordinal).ThenBy(e => e.Manager, StringComparer.Ordinal).Select(e => (object?)e.Write())];

    private static string Text(Dictionary<string, object?> item, string key) => item.GetValueOrDefault(key) as string ?? "";

    private Dictionary<string, object?> Write()
    {
        var item = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["manager"] = Manager,
            ["operation"] = Operation,
            ["apiVersion"] = ApiVersion,
            ["time"] = ApiTime.Format(Time),
            ["fieldsType"] = "FieldsV1",
            ["fieldsV1"] = Fields.ToFieldsV1(),
        };
        if (Subresource.Length > 0)
        {
            item["subresource"] = Subresource;
        }

        return item;
    }
}
