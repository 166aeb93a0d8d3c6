using System.Text;
using Hardway.Api.Core.V1;
using Hardway.Api.FieldManagement;

namespace Hardway.Api.Tests;

public sealed class FieldManagerTests
{
    private readonly FieldManager _manager = new(TimeProvider.System);
    private readonly MergeType _configMap = SchemaMergeType.Of(ConfigMap.TypeSchema);
    private readonly MergeType _template = SchemaMergeType.Of(PodTemplate.TypeSchema);

    [Fact]
    public void An_applied_configuration_is_owned_field_by_field()
    {
        var merged = Apply(_configMap, Empty(ConfigMap.TypeSchema), """{"metadata":{"name":"c"},"data":{"a":"1","b":"2"}}""", "one", isNew: true);
        Assert.Equal("""{"f:data":{"f:a":{},"f:b":{}}}""", Owner(merged, "one"));
    }

    [Fact]
    public void A_field_of_another_owner_is_a_conflict_unless_forced()
    {
        var live = Apply(_configMap, Empty(ConfigMap.TypeSchema), """{"metadata":{"name":"c"},"data":{"a":"1","b":"2"}}""", "one", isNew: true);
        var error = Assert.Throws<ApplyConflictException>(() => Apply(_configMap, live, """{"data":{"b":"x"}}""", "two"));
        Assert.Equal(new FieldConflict("\"one\"", ".data.b"), Assert.Single(error.Conflicts));
        var forced = Apply(_configMap, live, """{"data":{"b":"x"}}""", "two", force: true);
        Assert.Equal("""{"f:data":{"f:a":{}}}""", Owner(forced, "one"));
        Assert.Equal("""{"f:data":{"f:b":{}}}""", Owner(forced, "two"));
    }

    [Fact]
    public void What_is_no_longer_applied_goes_unless_another_owns_it()
    {
        var live = Apply(_configMap, Empty(ConfigMap.TypeSchema), """{"data":{"a":"1","b":"2"}}""", "one", isNew: true);
        live = Apply(_configMap, live, """{"data":{"a":"1"}}""", "two");
        live = Apply(_configMap, live, """{"data":{}}""", "one");
        Assert.Equal("""{"a":"1"}""", Text(live["data"]));
        Assert.Equal("""{"f:data":{}}""", Owner(live, "one"));
    }

    [Fact]
    public void Who_applies_what_is_there_owns_it_without_a_time_and_goes_with_the_last_field()
    {
        var live = Apply(_configMap, Empty(ConfigMap.TypeSchema), """{"data":{"a":"1","b":"2"}}""", "one", isNew: true);
        live = Apply(_configMap, live, """{"data":{"a":"1"}}""", "two");
        var entries = ((List<object?>)((Dictionary<string, object?>)live["metadata"]!)["managedFields"]!).Cast<Dictionary<string, object?>>();
        Assert.Equal("one:True two:False", string.Join(' ', entries.Select(e => $"{e["manager"]}:{e.ContainsKey("time")}").Order(StringComparer.Ordinal)));
        live = Apply(_configMap, live, """{"metadata":{"name":"c"}}""", "two");
        Assert.Null(Owner(live, "two"));
        Assert.Equal("""{"a":"1","b":"2"}""", Text(live["data"]));
    }

    [Fact]
    public void A_create_owns_new_maps_and_their_keys()
    {
        var created = Tree("""{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"c","labels":{"l":"m"}},"data":{"whole":"yes"}}""");
        _manager.Update(Empty(ConfigMap.TypeSchema), created, _configMap, new FieldWriter("replay", "v1"));
        Assert.Equal("""{"f:data":{".":{},"f:whole":{}},"f:metadata":{"f:labels":{".":{},"f:l":{}}}}""", Owner(created, "replay"));
    }

    [Fact]
    public void What_an_endpoint_ignores_is_taken_from_nobody()
    {
        var live = Apply(_configMap, Empty(ConfigMap.TypeSchema), """{"data":{"a":"1"}}""", "one", isNew: true);
        var updated = Tree(Text(live));
        updated["data"] = Tree("""{"a":"2"}""");
        var ignored = new FieldSet();
        ignored.ChildOrNew(PathElement.Field("data")).Insert();
        _manager.Update(live, updated, _configMap, new FieldWriter("status", "v1", "status"), ignored);
        Assert.Equal("""{"f:data":{"f:a":{}}}""", Owner(updated, "one"));
        Assert.Null(Owner(updated, "status"));
    }

    [Fact]
    public void An_update_takes_the_fields_it_changes()
    {
        var live = Apply(_configMap, Empty(ConfigMap.TypeSchema), """{"data":{"a":"1"}}""", "one", isNew: true);
        var updated = Tree(Text(live));
        updated["data"] = Tree("""{"a":"2"}""");
        _manager.Update(live, updated, _configMap, new FieldWriter("upd", "v1"));
        Assert.Null(Owner(updated, "one"));
        Assert.Equal("""{"f:data":{"f:a":{}}}""", Owner(updated, "upd"));
    }

    [Fact]
    public void Keyed_lists_merge_by_their_keys_with_defaults()
    {
        var live = Apply(_template, Empty(PodTemplate.TypeSchema), """{"template":{"spec":{"containers":[{"name":"a","image":"i:1","ports":[{"containerPort":80}]}]}}}""", "one", isNew: true);
        Assert.Contains("""k:{\"containerPort\":80,\"protocol\":\"TCP\"}""", Owner(live, "one"));
        live = Apply(_template, live, """{"template":{"spec":{"containers":[{"name":"side","image":"s:1"},{"name":"a","ports":[{"containerPort":81,"protocol":"UDP"}]}]}}}""", "two");
        var containers = (List<object?>)((Dictionary<string, object?>)((Dictionary<string, object?>)live["template"]!)["spec"]!)["containers"]!;
        Assert.Equal(["side", "a"], containers.Select(c => ((Dictionary<string, object?>)c!)["name"]));
        Assert.Equal("""[{"containerPort":80},{"containerPort":81,"protocol":"UDP"}]""", Text(((Dictionary<string, object?>)containers[1]!)["ports"]));
    }

    private Dictionary<string, object?> Apply(MergeType type, Dictionary<string, object?> live, string config, string manager, bool isNew = false, bool force = false) =>
        _manager.Apply(live, isNew, Tree(config), type, new FieldWriter(manager, "v1"), force);

    private static Dictionary<string, object?> Empty(TypeSchema schema) => ApiJson.ToTree(schema.New());

    private static Dictionary<string, object?> Tree(string json) => (Dictionary<string, object?>)ApiJson.DeserializeTree(Encoding.UTF8.GetBytes(json))!;

    private static string Text(object? tree) => Encoding.UTF8.GetString(ApiJson.SerializeTree(tree));

    private static string? Owner(Dictionary<string, object?> tree, string manager)
    {
        var entries = ((Dictionary<string, object?>)tree["metadata"]!).GetValueOrDefault("managedFields") as List<object?> ?? [];
        var entry = entries.OfType<Dictionary<string, object?>>().FirstOrDefault(e => (string?)e["manager"] == manager);
        return entry is null ? null : Text(entry["fieldsV1"]);
    }
}
