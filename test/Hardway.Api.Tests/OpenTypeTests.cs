using System.Text;
using Hardway.Api.Meta.V1;

namespace Hardway.Api.Tests;

/// <summary>An open type keeps what its schema does not name, in every form that a value can take.</summary>
public sealed class OpenTypeTests
{
    private const string Json = """{"apiVersion":"x.test/v1","kind":"Thing","metadata":{"name":"a"},"beta":{"a":1,"b":[true,null]},"spec":{"x":"y"}}""";

    [Fact]
    public void Fields_beyond_the_schema_stay_in_bytes_trees_and_copies()
    {
        var value = new OpenThing();
        ApiJson.Read(value, Encoding.UTF8.GetBytes(Json.Replace("\"beta\":{\"a\":1,\"b\":[true,null]},\"spec\":{\"x\":\"y\"}", "\"spec\":{\"x\":\"y\"},\"beta\":{\"b\":[true,null],\"a\":1}", StringComparison.Ordinal)));
        Assert.Equal(Json, Encoding.UTF8.GetString(ApiJson.Serialize(value)));
        Assert.True(ApiValues.TreesEqual(ApiJson.DeserializeTree(Encoding.UTF8.GetBytes(Json)), ApiJson.ToTree(value)));
        var copy = (OpenThing)value.DeepClone();
        Assert.True(ApiStruct.DeepEquals(copy, value));
        ((Dictionary<string, object?>)copy.Rest["spec"]!)["x"] = "z";
        Assert.False(ApiStruct.DeepEquals(copy, value));
    }

    private sealed class OpenThing : ApiStruct
    {
        private static readonly TypeSchema s_type = new("test.x.v1.Thing", "x.test", "v1", "Thing", () => new OpenThing(), () =>
        [
            new FieldSchema("apiVersion", Shape.String, FieldFlags.OmitEmpty, 0),
            new FieldSchema("kind", Shape.String, FieldFlags.OmitEmpty, 0),
            new FieldSchema("metadata", Shape.Struct<ObjectMeta>(), FieldFlags.OmitEmpty, 0),
        ]);

        private readonly object?[] _values = new object?[3];

        public override TypeSchema StructSchema => s_type;

        public override Dictionary<string, object?> Rest { get; } = new(StringComparer.Ordinal);

        public override object? Get(int ordinal) => _values[ordinal];

        public override void Set(int ordinal, object? value) => _values[ordinal] = value;
    }
}
