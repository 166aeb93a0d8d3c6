using System.Collections;
using Hardway.Api;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules;

/// <summary>What the schema itself tells of a value: closed sets of values, all the way down.</summary>
internal static class SchemaValidation
{
    /// <summary>Reports each value that is not in its field's closed set. Absent values are another check's business.</summary>
    public static void Enums(ApiStruct value, FieldPath path, ErrorList errors, params string[] except)
    {
        foreach (var field in value.StructSchema.Fields)
        {
            var item = value.Get(field.Ordinal);
            if (item is null || except.Contains(field.Name))
            {
                continue;
            }

            var at = path.Child(field.Name);
            switch (item)
            {
                case string text when field.Enum is not null && field.Shape.Kind == ShapeKind.String && !field.Enum.Contains(text):
                    errors.NotSupported(at, text, field.Enum);
                    break;
                case ApiStruct inner:
                    Enums(inner, at, errors, except);
                    break;
                case IList list when field.Shape.Element?.Kind == ShapeKind.Struct:
                    for (var i = 0; i < list.Count; i++)
                    {
                        Enums((ApiStruct)list[i]!, at.Index(i), errors, except);
                    }

                    break;
                case List<string> texts when field.Enum is not null:
                    for (var i = 0; i < texts.Count; i++)
                    {
                        if (!field.Enum.Contains(texts[i]))
                        {
                            errors.NotSupported(at.Index(i), texts[i], field.Enum);
                        }
                    }

                    break;
            }
        }
    }
}
