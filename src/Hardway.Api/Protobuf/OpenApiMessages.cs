using System.Globalization;

namespace Hardway.Api.Protobuf;

/// <summary>A field of an OpenAPI message: its JSON name, number, kind and message.</summary>
internal readonly record struct OpenApiField(string Name, int Number, char Kind, string Type);

/// <summary>
/// The messages of OpenAPI documents, a line each, as far as a document of ours uses them. A field is NAME=NUMBER and its kind: s text, S texts, b boolean, i integer,
/// d number, A any value, V any values, :M message, [M messages, {M a map within a message. * takes all other names and x- the extensions, as pairs of
/// name and value; ? and ! are the two alternatives of a reference and the thing itself.
/// </summary>
internal static class OpenApiMessages
{
    public const string V2 = """
        Document swagger=1s info=2:Info host=3s basePath=4s schemes=5S consumes=6S produces=7S paths=8:Paths definitions=9{Schema parameters=10{Parameter x-=16
        Info title=1s version=2s description=3s x-=7
        Paths x-=1 *=2:PathItem
        PathItem $ref=1s get=2:Operation put=3:Operation post=4:Operation delete=5:Operation options=6:Operation head=7:Operation patch=8:Operation parameters=9[ParametersItem x-=10
        Operation tags=1S summary=2s description=3s operationId=5s produces=6S consumes=7S parameters=8[ParametersItem responses=9:Responses schemes=10S deprecated=11b x-=13
        ParametersItem !=1:Parameter ?=2:JsonReference
        JsonReference $ref=1s description=2s
        BodyParameter description=1s name=2s in=3s required=4b schema=5:Schema x-=6
        QueryParameterSubSchema required=1b in=2s description=3s name=4s type=6s format=7s uniqueItems=20b x-=23
        PathParameterSubSchema required=1b in=2s description=3s name=4s type=5s format=6s uniqueItems=19b x-=22
        Responses *=1:ResponseValue x-=2
        ResponseValue !=1:Response ?=2:JsonReference
        Response description=1s schema=2:SchemaItem x-=5
        Schema $ref=1s format=2s title=3s description=4s default=5A maximum=7d exclusiveMaximum=8b minimum=9d exclusiveMinimum=10b maxLength=11i minLength=12i pattern=13s maxItems=14i minItems=15i uniqueItems=16b maxProperties=17i minProperties=18i required=19S enum=20V additionalProperties=21:AdditionalPropertiesItem type=22:TypeItem items=23:ItemsItem allOf=24[Schema properties=25{Schema example=30A x-=31
        """;

    public const string V3 = """
        Document openapi=1s info=2:Info paths=4:Paths components=5:Components x-=9
        Info title=1s description=2s version=6s x-=7
        Paths *=1:PathItem x-=2
        PathItem $ref=1s summary=2s description=3s get=4:Operation put=5:Operation post=6:Operation delete=7:Operation options=8:Operation head=9:Operation patch=10:Operation parameters=13[ParameterOrReference x-=14
        Operation tags=1S summary=2s description=3s operationId=5s parameters=6[ParameterOrReference requestBody=7:RequestBodyOrReference responses=8:Responses deprecated=10b x-=13
        ParameterOrReference !=1:Parameter ?=2:Reference
        Parameter name=1s in=2s description=3s required=4b schema=10:SchemaOrReference x-=14
        RequestBodyOrReference !=1:RequestBody ?=2:Reference
        RequestBody description=1s content=2{MediaType required=3b x-=4
        Responses default=1:ResponseOrReference *=2:ResponseOrReference x-=3
        ResponseOrReference !=1:Response ?=2:Reference
        Response description=1s content=3{MediaType x-=5
        MediaType schema=1:SchemaOrReference x-=5
        Components schemas=1{SchemaOrReference x-=10
        Reference $ref=1s
        SchemaOrReference !=1:Schema ?=2:Reference
        Schema nullable=1b title=9s maximum=11d exclusiveMaximum=12b minimum=13d exclusiveMinimum=14b maxLength=15i minLength=16i pattern=17s maxItems=18i minItems=19i uniqueItems=20b maxProperties=21i minProperties=22i required=23S enum=24V type=25s allOf=26[SchemaOrReference oneOf=27[SchemaOrReference anyOf=28[SchemaOrReference not=29:Schema items=30:ItemsItem properties=31{SchemaOrReference additionalProperties=32:AdditionalPropertiesItem default=33:DefaultType description=34s format=35s x-=36
        """;

    public static Dictionary<string, OpenApiField[]> Read(string table) =>
        table.Split('\n').Select(l => l.Split(' ')).ToDictionary(w => w[0], w => Array.ConvertAll(w[1..], Field));

    private static OpenApiField Field(string word)
    {
        var equals = word.IndexOf('=');
        var end = equals + 1;
        while (end < word.Length && char.IsAsciiDigit(word[end]))
        {
            end++;
        }

        var number = int.Parse(word.AsSpan(equals + 1, end - equals - 1), CultureInfo.InvariantCulture);
        return end == word.Length ? new OpenApiField(word[..equals], number, 'A', "") : new OpenApiField(word[..equals], number, word[end], word[(end + 1)..]);
    }
}
