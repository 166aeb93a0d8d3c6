using Hardway.ApiServer.Custom;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.ApiExtensions;

/// <summary>
/// A version's schema as a whole: what the root may have, then each part, then (only when all that is good) whether it is structural, its defaults
/// and its rules.
/// </summary>
internal static class DefinitionSchemaRules
{
    private static readonly string[] s_root =
    [
        "description", "type", "format", "title", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems",
        "multipleOf", "required", "items", "properties", "externalDocs", "example", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-validations",
    ];

    public static void Validate(Dictionary<string, object?> schema, Dictionary<string, object?>? old, bool hasStatus, FieldPath path, ErrorList errors)
    {
        var before = errors.Count;
        if (hasStatus && schema.Keys.FirstOrDefault(k => !s_root.Contains(k)) is { } extra)
        {
            errors.Invalid(path, extra, $"only {string.Join(", ", s_root)} are allowed at the root of the schema if the status subresource is enabled");
        }

        if (schema.GetValueOrDefault("nullable") is true)
        {
            errors.Forbidden(path.Child("nullable"), "nullable cannot be true at the root");
        }

        SchemaDefinitionRules.Validate(schema, path, errors);
        if (errors.Count > before)
        {
            return;
        }

        StructuralRules.Validate(schema, path, errors);
        if (errors.Count > before)
        {
            return;
        }

        var compiled = new StructuralSchema(schema);
        SchemaDefaultRules.Validate(compiled, path, errors);
        SchemaRuleRules.Validate(compiled, old, path, errors);
    }
}
