namespace Hardway.Api.Protobuf;

/// <summary>
/// The messages JSONSchemaPropsOrArray, OrBool and OrStringArray: which alternative of the shape stands in which field. The schema is field 1, what it
/// may be instead field 2; only of the boolean it is the other way round.
/// </summary>
internal static class ProtoOneOf
{
    public static Shape? Alternative(Shape shape, int number) => Array.Find(shape.Alternatives, a => Number(shape, a) == number);

    public static int Number(Shape shape, Shape alternative) =>
        Array.Exists(shape.Alternatives, a => a.Kind == ShapeKind.Bool) ? (alternative.Kind == ShapeKind.Bool ? 1 : 2) : alternative.Kind == ShapeKind.Struct ? 1 : 2;
}
