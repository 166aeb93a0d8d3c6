using System.Text;
using Hardway.Api;
using Hardway.ApiServer.Custom;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Rules.ApiExtensions;

namespace Hardway.ApiServer.Tests.Custom;

public sealed class SchemaTests
{
    [Theory]
    [InlineData("""{"type":"integer","format":"int32","maximum":5}""", "6", "FieldValueInvalid v")]
    [InlineData("""{"type":"integer"}""", "2.5", "FieldValueTypeInvalid v", "FieldValueInvalid <nil>")]
    [InlineData("""{"type":"integer","format":"int32"}""", "3000000000", "FieldValueInvalid <nil>")]
    [InlineData("""{"type":"string","maxLength":2}""", "\"abc\"", "FieldValueTooLong v")]
    [InlineData("""{"type":"string","format":"cidr"}""", "\"10.0.0.0/33\"", "FieldValueTypeInvalid v")]
    [InlineData("""{"type":"string","format":"nobody-checks"}""", "\"x\"")]
    [InlineData("""{"type":"object","required":["a"],"properties":{"a":{"type":"string"}}}""", "{}", "FieldValueRequired v.a")]
    [InlineData("""{"type":"object","maxProperties":1,"additionalProperties":{"type":"string"}}""", """{"a":"x","b":"y"}""", "FieldValueTooMany v")]
    [InlineData("""{"type":"array","items":{"type":"string","enum":["a"]}}""", """["a","b"]""", "FieldValueNotSupported v[1]")]
    [InlineData("""{"type":"object","anyOf":[{"required":["a"]},{"required":["b"]}]}""", "{}", "FieldValueInvalid <nil>", "FieldValueRequired v.a")]
    [InlineData("""{"type":"object","not":{"required":["a"]}}""", """{"a":1}""", "FieldValueInvalid <nil>")]
    [InlineData("""{"type":"integer","allOf":[{"minimum":3},{"maximum":9}]}""", "1", "FieldValueInvalid v", "FieldValueInvalid <nil>")]
    [InlineData("""{"x-kubernetes-int-or-string":true}""", "true", "FieldValueTypeInvalid v")]
    [InlineData("""{"type":"string","nullable":true}""", "null")]
    public void A_value_is_refused_with_upstreams_reasons_and_paths(string schema, string value, params string[] causes)
    {
        var errors = new ErrorList();
        SchemaValidator.Validate(Tree(value), null, false, Schema(schema), FieldPath.Of("v"), errors);
        Assert.Equal(causes.Order(), errors.Errors.Select(e => $"{e.Reason} {e.Field}").Order());
    }

    [Fact]
    public void What_has_not_changed_is_not_judged_again()
    {
        var schema = Schema("""{"type":"object","properties":{"old":{"type":"string","maxLength":1},"new":{"type":"string","maxLength":1}}}""");
        var errors = new ErrorList();
        SchemaValidator.Validate(Tree("""{"old":"long","new":"long"}"""), Tree("""{"old":"long"}"""), true, schema, FieldPath.Root, errors);
        Assert.Equal("new", Assert.Single(errors.Errors).Field);
    }

    [Fact]
    public void Unknown_fields_go_and_defaults_come_all_the_way_down()
    {
        var schema = Schema("""
            {"type":"object","properties":{"spec":{"type":"object","properties":{
              "size":{"type":"integer","default":1},
              "free":{"type":"object","x-kubernetes-preserve-unknown-fields":true,"properties":{"known":{"type":"object","properties":{"a":{"type":"string"}}}}},
              "items":{"type":"array","items":{"type":"object","properties":{"k":{"type":"string","default":"d"}}}},
              "map":{"type":"object","additionalProperties":{"type":"object","properties":{"v":{"type":"integer","default":2}}}},
              "gone":{"type":"string"},"kept":{"type":"string","nullable":true}}}}}
            """);
        var tree = (Dictionary<string, object?>)Tree("""{"spec":{"x":1,"free":{"y":1,"known":{"a":"b","z":1}},"items":[{"q":1}],"map":{"m":{}},"gone":null,"kept":null},"other":1}""")!;
        var gone = new List<string>();
        SchemaShape.PruneRoot(tree, schema, gone);
        SchemaShape.Default(tree, schema);
        SchemaShape.DropNulls(tree, schema);
        Assert.Equal(["other", "spec.free.known.z", "spec.items[0].q", "spec.x"], gone.Order(StringComparer.Ordinal));
        Assert.True(ApiValues.TreesEqual(Tree("""{"spec":{"size":1,"free":{"y":1,"known":{"a":"b"}},"items":[{"k":"d"}],"map":{"m":{"v":2}},"kept":null}}"""), tree), Encoding.UTF8.GetString(ApiJson.SerializeTree(tree)));
    }

    [Theory]
    [InlineData("self.min <= self.max", """{"min":3,"max":2}""", null, "FieldValueInvalid spec")]
    [InlineData("self.min <= self.max", """{"min":1,"max":2}""", null)]
    [InlineData("self.ports.all(p, p.port > 0)", """{"ports":[{"port":0}]}""", null, "FieldValueInvalid spec")]
    [InlineData("self.max >= oldSelf.max", """{"max":1}""", """{"max":2}""", "FieldValueInvalid spec")]
    [InlineData("self.max >= oldSelf.max", """{"max":1}""", null)]
    [InlineData("self.when < timestamp('2020-01-01T00:00:00Z')", """{"when":"2021-01-01T00:00:00Z"}""", null, "FieldValueInvalid spec")]
    [InlineData("self.ratio + 0.5 < 2.0", """{"ratio":1}""", null)]
    public void A_rule_sees_the_values_as_its_schema_has_them(string rule, string spec, string? old, params string[] causes)
    {
        var rules = SchemaRules.OfRoot(Schema(Ruled(rule)))!;
        var errors = new ErrorList();
        rules.Validate(new Dictionary<string, object?> { ["spec"] = Tree(spec) }, old is null ? null : new Dictionary<string, object?> { ["spec"] = Tree(old) }, old is not null, FieldPath.Root, errors);
        Assert.Equal(causes, errors.Errors.Select(e => $"{e.Reason} {e.Field}"));
    }

    [Theory]
    [InlineData("self.min <= self.max")]
    [InlineData("self.none == 1", "FieldValueInvalid rule")]
    [InlineData("self.min", "FieldValueInvalid rule")]
    [InlineData("self.min == 'x'", "FieldValueInvalid rule")]
    [InlineData("self.names.all(n, self.names.all(m, n.contains(m)))", "FieldValueForbidden rule")]
    [InlineData("self.few.all(n, n.size() < 3)")]
    [InlineData("self.ports.exists(p, p.port == 1 +)", "FieldValueInvalid rule")]
    public void A_definitions_rules_must_compile_fit_and_be_affordable(string rule, params string[] causes)
    {
        var errors = new ErrorList();
        DefinitionSchemaRules.Validate((Dictionary<string, object?>)Tree(Ruled(rule))!, null, false, FieldPath.Of("s"), errors);
        Assert.Equal(causes.Select(c => c.Replace(" ", " s.properties[spec].x-kubernetes-validations[0].", StringComparison.Ordinal)), errors.Errors.Where(e => e.Field != "s").Select(e => $"{e.Reason} {e.Field}").Distinct());
    }

    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string","default":5}}}""", "FieldValueTypeInvalid s.properties[a].default")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"object","anyOf":[{"properties":{"b":{"minimum":1}}}]}}}""", "FieldValueRequired s.properties[a].anyOf[0].properties[b]")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string","allOf":[{"type":"string"}]}}}""", "FieldValueForbidden s.properties[a].allOf[0].type")]
    [InlineData("""{"type":"object","properties":{"a":{"x-kubernetes-int-or-string":true,"anyOf":[{"type":"integer"},{"type":"string"}]}}}""")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"array","items":{"type":"object"},"x-kubernetes-list-type":"set"}}}""", "FieldValueInvalid s.properties[a].items.x-kubernetes-map-type")]
    [InlineData("""{"type":"array","items":{"type":"string"}}""", "FieldValueInvalid s.type")]
    [InlineData("""{"type":"object","nullable":true}""", "FieldValueForbidden s.nullable")]
    public void A_definitions_schema_must_be_structural(string schema, params string[] causes)
    {
        var errors = new ErrorList();
        DefinitionSchemaRules.Validate((Dictionary<string, object?>)Tree(schema)!, null, false, FieldPath.Of("s"), errors);
        Assert.Equal(causes, errors.Errors.Select(e => $"{e.Reason} {e.Field}"));
    }

    private static string Ruled(string rule) => """
        {"type":"object","properties":{"spec":{"type":"object","x-kubernetes-validations":[{"rule":"RULE"}],"properties":{
          "min":{"type":"integer"},"max":{"type":"integer"},"ratio":{"type":"number"},"when":{"type":"string","format":"date-time"},
          "names":{"type":"array","items":{"type":"string"}},"few":{"type":"array","maxItems":5,"items":{"type":"string","maxLength":10}},
          "ports":{"type":"array","maxItems":10,"items":{"type":"object","properties":{"port":{"type":"integer"}}}}}}}}
        """.Replace("RULE", rule, StringComparison.Ordinal);

    private static StructuralSchema Schema(string json) => new((Dictionary<string, object?>)Tree(json)!);

    private static object? Tree(string json) => ApiJson.DeserializeTree(Encoding.UTF8.GetBytes(json));
}
