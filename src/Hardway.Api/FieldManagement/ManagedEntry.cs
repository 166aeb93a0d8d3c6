using Hardway.Api.Meta.V1;

namespace Hardway.Api.FieldManagement;

/// <summary>An entry of metadata.managedFields, taken apart. Its fields are read only when somebody asks for them.</summary>
internal sealed class ManagedEntry
{
    private readonly object? _tree;
    private FieldSet? _fields;
    private bool _isChanged;

    public ManagedEntry(string manager, string operation, string apiVersion, string subresource, DateTimeOffset time, FieldSet fields)
        : this(manager, operation, apiVersion, subresource, time, tree: null)
    {
        _fields = fields;
    }

    private ManagedEntry(string manager, string operation, string apiVersion, string subresource, DateTimeOffset time, object? tree)
    {
        (Manager, Operation, ApiVersion, Subresource, Time, _tree) = (manager, operation, apiVersion, subresource, time, tree);
    }

    public string Manager { get; set; }

    public string Operation { get; }

    public string ApiVersion { get; }

    public string Subresource { get; }

    public DateTimeOffset Time { get; set; }

    public FieldSet Fields
    {
        get => _fields ??= FieldSet.Parse(_tree);
        set
        {
            _fields = value;
            _isChanged = true;
        }
    }

    public bool IsEmpty => _fields?.IsEmpty ?? _tree is not Dictionary<string, object?> { Count: > 0 };

    public static ManagedEntry? Find(List<ManagedEntry> entries, FieldWriter writer, string operation) =>
        entries.Find(e => e.Manager == writer.Manager && e.Operation == operation && e.ApiVersion == writer.ApiVersion && e.Subresource == writer.Subresource);

    public static List<ManagedEntry> ReadAll(List<object?>? list)
    {
        var entries = new List<ManagedEntry>();
        foreach (var item in (list ?? []).OfType<Dictionary<string, object?>>())
        {
            var time = ApiTime.TryParse(Text(item, "time"), out var parsed) ? parsed : default;
            entries.Add(new ManagedEntry(Text(item, "manager"), Text(item, "operation"), Text(item, "apiVersion"), Text(item, "subresource"), time, item.GetValueOrDefault("fieldsV1")));
        }

        return entries;
    }

    public static List<ManagedEntry> ReadAll(IReadOnlyList<ManagedFieldsEntry>? list) =>
        [.. (list ?? []).Select(e => new ManagedEntry(e.Manager, e.Operation, e.ApiVersion, e.Subresource, e.Time ?? default, tree: e.FieldsV1))];

    /// <summary>Appliers first, then updaters, each by time and name.</summary>
    public static List<object?> WriteAll(List<ManagedEntry> entries) => [.. InOrder(entries).Select(e => (object?)ApiJson.ToTree(e.ToTyped()))];

    public static List<ManagedFieldsEntry> WriteTyped(List<ManagedEntry> entries) => [.. InOrder(entries).Select(e => e.ToTyped())];

    private static IOrderedEnumerable<ManagedEntry> InOrder(List<ManagedEntry> entries) =>
        entries.OrderBy(e => e.Operation, StringComparer.Ordinal).ThenBy(e => e.Time.ToUnixTimeSeconds()).ThenBy(e => e.Manager, StringComparer.Ordinal);

    private static string Text(Dictionary<string, object?> item, string key) => item.GetValueOrDefault(key) as string ?? "";

    private ManagedFieldsEntry ToTyped() => new()
    {
        Manager = Manager,
        Operation = Operation,
        ApiVersion = ApiVersion,
        Time = Time == default ? null : new DateTimeOffset(Time.Ticks - (Time.Ticks % TimeSpan.TicksPerSecond), Time.Offset),
        FieldsType = "FieldsV1",
        FieldsV1 = _isChanged || _tree is null ? Fields.ToFieldsV1() : _tree,
        Subresource = Subresource,
    };
}
