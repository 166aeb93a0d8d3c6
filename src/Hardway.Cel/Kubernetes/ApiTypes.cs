using Hardway.Api;

namespace Hardway.Cel.Kubernetes;

/// <summary>The API's types as CEL's types see them.</summary>
public static class ApiTypes
{
    /// <summary>Types that hold themselves are known this far down, and are dyn below.</summary>
    private const int Deepest = 12;

    public static CelDecl Of(TypeSchema type) => Of(type, 0);

    private static CelDecl Of(TypeSchema type, int depth)
    {
        if (depth > Deepest)
        {
            return CelDecl.Dyn;
        }

        var fields = new Dictionary<string, CelDecl>(StringComparer.Ordinal);
        foreach (var field in type.Fields)
        {
            fields[field.Name] = Of(field.Shape, depth + 1);
        }

        return CelDecl.Object(type.FullName, fields);
    }

    private static CelDecl Of(Shape shape, int depth) => shape.Kind switch
    {
        ShapeKind.String => CelDecl.Text,
        ShapeKind.Int32 or ShapeKind.Int64 => CelDecl.Int,
        ShapeKind.Double => CelDecl.Double,
        ShapeKind.Bool => CelDecl.Bool,
        ShapeKind.Bytes => CelDecl.Bytes,
        ShapeKind.Time or ShapeKind.MicroTime => CelDecl.Timestamp,
        ShapeKind.Struct => Of(shape.Type, depth),
        ShapeKind.List => CelDecl.List(Of(shape.Element!, depth)),
        ShapeKind.Map => CelDecl.Map(CelDecl.Text, Of(shape.Element!, depth)),
        _ => CelDecl.Dyn,
    };
}
