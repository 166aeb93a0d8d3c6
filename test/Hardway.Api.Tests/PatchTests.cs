using System.Text;
using Hardway.Api.Core.V1;
using Hardway.Api.Patching;

namespace Hardway.Api.Tests;

public sealed class PatchTests
{
    private const string Template = """{"template":{"spec":{"containers":[{"name":"a","image":"x:1","env":[{"name":"X","value":"1"},{"name":"Y","value":"2"}]},{"name":"b","image":"x:1"}],"nodeSelector":{"a":"b"},"volumes":[{"name":"v1","emptyDir":{}}]}}}""";

    [Theory]
    [InlineData("""{"template":{"spec":{"containers":[{"name":"b","image":"b:2"}]}}}""", "a=x:1 b=b:2")]
    [InlineData("""{"template":{"spec":{"containers":[{"name":"z","image":"z:1"}]}}}""", "z=z:1 a=x:1 b=x:1")]
    [InlineData("""{"template":{"spec":{"containers":[{"name":"a","$patch":"delete"}]}}}""", "b=x:1")]
    [InlineData("""{"template":{"spec":{"containers":[{"$patch":"replace"},{"name":"n","image":"n"}]}}}""", "n=n")]
    [InlineData("""{"template":{"spec":{"$setElementOrder/containers":[{"name":"b"},{"name":"a"}],"containers":[{"name":"b","image":"b:3"}]}}}""", "b=b:3 a=x:1")]
    public void Lists_merge_by_key(string patch, string containers)
    {
        var result = StrategicMergePatch.Apply(PodTemplate.TypeSchema, Tree(Template), Tree(patch));
        var template = (PodTemplate)ApiJson.FromTree(PodTemplate.TypeSchema, result);
        Assert.Equal(containers, string.Join(' ', template.Template.Spec.Containers!.Select(c => c.Name + "=" + c.Image)));
    }

    [Theory]
    [InlineData("""{"template":{"spec":{"containers":[{"image":"x"}]}}}""", PatchFault.Inconsistent)]
    [InlineData("""{"template":{"spec":{"$setElementOrder/containers":[{"name":"a"}],"containers":[{"name":"b","image":"b:4"}]}}}""", PatchFault.Inconsistent)]
    [InlineData("""{"template":{"spec":{"volumes":[{"name":"v1","$retainKeys":["name"],"hostPath":{"path":"/y"}}]}}}""", PatchFault.Malformed)]
    public void Faulty_directives_are_refused(string patch, PatchFault fault) =>
        Assert.Equal(fault, Assert.Throws<PatchException>(() => StrategicMergePatch.Apply(PodTemplate.TypeSchema, Tree(Template), Tree(patch))).Fault);

    [Fact]
    public void Retained_keys_drop_the_others()
    {
        var result = StrategicMergePatch.Apply(PodTemplate.TypeSchema, Tree(Template), Tree("""{"template":{"spec":{"volumes":[{"name":"v1","$retainKeys":["name","hostPath"],"hostPath":{"path":"/x"}}]}}}"""));
        Assert.Contains("""{"name":"v1","hostPath":{"path":"/x"}}""", Encoding.UTF8.GetString(ApiJson.SerializeTree(result)));
    }

    [Theory]
    [InlineData("""[{"op":"add","path":"/l/-","value":3}]""", """{"l":[1,2,3],"m":{"a/b":"c"}}""")]
    [InlineData("""[{"op":"replace","path":"/l/-1","value":9}]""", """{"l":[1,9],"m":{"a/b":"c"}}""")]
    [InlineData("""[{"op":"move","from":"/m/a~1b","path":"/x"}]""", """{"l":[1,2],"m":{},"x":"c"}""")]
    [InlineData("""[{"op":"test","path":"/l/0","value":1},{"op":"remove","path":"/m"}]""", """{"l":[1,2]}""")]
    [InlineData("""[{"op":"replace","path":"passed-over/m","value":1}]""", """{"l":[1,2],"m":1}""")]
    public void Operations_apply_in_order(string patch, string expected) =>
        Assert.Equal(expected, Encoding.UTF8.GetString(ApiJson.SerializeTree(JsonPatch.Apply(Tree("""{"l":[1,2],"m":{"a/b":"c"}}"""), Any(patch)))));

    [Theory]
    [InlineData("""{"op":"add"}""", PatchFault.Malformed)]
    [InlineData("""[{"op":"frob","path":"/a"}]""", PatchFault.Unfit)]
    [InlineData("""[{"op":"add","path":"/l/9","value":1}]""", PatchFault.Unfit)]
    [InlineData("""[{"op":"test","path":"/l/0","value":2}]""", PatchFault.Unfit)]
    [InlineData("""[{"op":"add","path":"/no/where","value":2}]""", PatchFault.Unfit)]
    [InlineData("""[{"op":"add","path":"l","value":2}]""", PatchFault.Unfit)]
    public void Operations_that_do_not_fit_are_refused(string patch, PatchFault fault) =>
        Assert.Equal(fault, Assert.Throws<PatchException>(() => JsonPatch.Apply(Tree("""{"l":[1,2]}"""), Any(patch))).Fault);

    [Fact]
    public void A_merge_patch_removes_by_null() =>
        Assert.Equal("""{"b":{"d":2}}""", Encoding.UTF8.GetString(ApiJson.SerializeTree(MergePatch.Apply(Tree("""{"a":1,"b":{"c":1}}"""), Any("""{"a":null,"b":{"c":null,"d":2}}""")))));

    private static object? Any(string json) => ApiJson.DeserializeTree(Encoding.UTF8.GetBytes(json));

    private static Dictionary<string, object?> Tree(string json) => (Dictionary<string, object?>)Any(json)!;
}
