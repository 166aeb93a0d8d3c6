using System.Text;
using Hardway.Api.Apps.V1;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;

namespace Hardway.Api.Tests;

public sealed class ApiJsonTests
{
    [Fact]
    public void A_pod_survives_a_round_trip_with_fields_in_schema_order()
    {
        var text = """{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"image":"nginx:1.22","name":"web","resources":{"limits":{"memory":"0.5Gi","cpu":"1000m"}},"ports":[{"containerPort":80}]}],"nodeName":"node-0"},"metadata":{"name":"a","labels":{"z":"1","b":"2"}}}""";
        var pod = ApiJson.Deserialize<Pod>(Encoding.UTF8.GetBytes(text));
        Assert.Equal("nginx:1.22", pod.Spec.Containers![0].Image);
        Assert.Equal(
            """{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","labels":{"b":"2","z":"1"}},"spec":{"containers":[{"name":"web","image":"nginx:1.22","ports":[{"containerPort":80}],"resources":{"limits":{"cpu":"1","memory":"512Mi"}}}],"nodeName":"node-0"},"status":{}}""",
            Encoding.UTF8.GetString(ApiJson.Serialize(pod)));
    }

    [Fact]
    public void An_encoding_that_fails_or_is_large_leaves_nothing_to_the_next()
    {
        Assert.Throws<InvalidOperationException>(() => ApiJson.Serialize(new ControllerRevision { Metadata = { Name = "bad" }, Data = new Dictionary<string, object?> { ["x"] = Guid.Empty } }));
        var large = new ConfigMap { Metadata = { Name = "large" }, Data = new() { ["k"] = new string('x', 200_000) } };
        Assert.Equal(200_000, Encoding.UTF8.GetString(ApiJson.Serialize(large)).Count(c => c == 'x'));
        Assert.Equal("""{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a"}}""", Encoding.UTF8.GetString(ApiJson.Serialize(new ConfigMap { Metadata = { Name = "a" } })));
    }

    [Fact]
    public void Unknown_and_duplicate_fields_are_reported_with_their_paths()
    {
        var report = new DecodeReport();
        ApiJson.Deserialize<Pod>("""{"spec":{"containers":[{"name":"a","name":"b","foo":{"bar":1}}]},"bad":1}"""u8, report);
        Assert.Equal(["spec.containers[0].foo", "bad"], report.Unknown);
        Assert.Equal(["spec.containers[0].name"], report.Duplicate);
    }

    [Theory]
    [InlineData("""{"spec":{"containers":{}}}""", "spec.containers: found an object, expected a list")]
    [InlineData("""{"spec":{"containers":[{"name":1}]}}""", "spec.containers[0].name: found the number \"1\", expected a string")]
    [InlineData("""[]""", "the body: found a list, expected an object")]
    public void A_value_of_the_wrong_type_is_named(string json, string message) =>
        Assert.Equal(message, Assert.Throws<ApiDecodeException>(() => ApiJson.Deserialize<Pod>(Encoding.UTF8.GetBytes(json))).Message);

    [Theory]
    [InlineData("{")]
    [InlineData("")]
    [InlineData("{}{}")]
    [InlineData("{\"metadata\":{\"name\":\"\\ud800\"}}")]
    public void Text_that_is_no_JSON_is_refused(string json) =>
        Assert.Throws<ApiDecodeException>(() => ApiJson.Deserialize<Pod>(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void Every_type_can_be_made_written_read_and_cloned()
    {
        foreach (var name in ApiCatalog.TypeNames)
        {
            var schema = ApiCatalog.FindType(name)!;
            var value = schema.New();
            var json = ApiJson.Serialize(value);
            var report = new DecodeReport();
            var back = ApiJson.Deserialize(schema, json, report);
            Assert.True(report.IsEmpty, name);
            Assert.True(ApiStruct.DeepEquals(value, back), name);
            Assert.Equal(json, ApiJson.Serialize(back.DeepClone()));
        }
    }

    [Fact]
    public void Every_resource_has_its_types()
    {
        Assert.Equal(95, ApiCatalog.Resources.Count);
        foreach (var resource in ApiCatalog.Resources)
        {
            Assert.Equal(resource.Kind, resource.Type.Kind);
            Assert.Same(resource, ApiCatalog.Find(resource.Group, resource.Version, resource.Plural));
        }

        Assert.Equal("deployments", Deployment.TypeSchema.Resource!.Plural);
        Assert.Equal("/apis/apps/v1/namespaces/d/deployments/x/scale", Deployment.TypeSchema.Resource.Path("d", "x", "scale"));
    }

    [Theory]
    [InlineData("1000m", "1")]
    [InlineData("0.5", "500m")]
    [InlineData("1.5Gi", "1536Mi")]
    [InlineData("1024", "1024")]
    [InlineData("1000", "1k")]
    [InlineData("1024Ki", "1Mi")]
    [InlineData("1e3", "1e3")]
    [InlineData("12e6", "12e6")]
    [InlineData("100E", "9223372036854775807")]
    [InlineData("0.1n", "1n")]
    [InlineData("-5", "-5")]
    [InlineData("0Mi", "0")]
    public void Quantities_are_written_in_canonical_form(string text, string canonical) => Assert.Equal(canonical, Quantity.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("1x")]
    [InlineData("1.2.3")]
    [InlineData("Mi")]
    [InlineData("1 Mi")]
    public void Nonsense_is_no_quantity(string text) => Assert.False(Quantity.TryParse(text, out _));

    [Fact]
    public void Selectors_match_as_their_text_says()
    {
        var labels = new Dictionary<string, string> { ["app"] = "web", ["tier"] = "3" };
        Assert.True(Selector.Parse("app=web,tier>2").Matches(labels));
        Assert.True(Selector.Parse("app in (db, web),!gone").Matches(labels));
        Assert.False(Selector.Parse("app notin (db,web)").Matches(labels));
        Assert.True(Selector.Parse("x!=1").Matches(labels));
        Assert.False(Selector.From(null).Matches(labels));
        Assert.True(Selector.From(new LabelSelector()).Matches(labels));
        Assert.Throws<FormatException>(() => Selector.Parse("a=b c"));
    }

    [Fact]
    public void Yaml_follows_version_1_1()
    {
        var json = Encoding.UTF8.GetString(YamlJson.ToJson("a: yes\nb: 'yes'\nc: 010\nd: 1.5\ne: [~, x]\nf: &x {k: v}\ng: *x\n"));
        Assert.Equal("""{"a":true,"b":"yes","c":8,"d":1.5,"e":[null,"x"],"f":{"k":"v"},"g":{"k":"v"}}""", json);
    }
}
