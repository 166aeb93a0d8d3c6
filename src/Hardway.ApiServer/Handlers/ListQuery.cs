using Hardway.Api;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;
using Hardway.Storage.Cache;

namespace Hardway.ApiServer.Handlers;

/// <summary>What a list, watch or deletecollection selects: parsed once, asked for each object.</summary>
internal sealed class ObjectFilter
{
    private readonly Selector _labels;
    private readonly IReadOnlyList<FieldTerm> _fields;
    private readonly string? _name;
    private readonly IReadOnlyList<SelectableField>? _custom;

    private ObjectFilter(Selector labels, IReadOnlyList<FieldTerm> fields, string? name, IReadOnlyList<SelectableField>? custom)
    {
        _custom = custom;
        _labels = labels;
        _fields = fields;
        _name = name;
    }

    public bool SelectsAll => _labels.IsEverything && _fields.Count == 0 && _name is null;

    public static ObjectFilter Of(RequestContext context, ServedResource resource)
    {
        var query = context.Request.Query;
        Selector labels;
        try
        {
            labels = Selector.Parse(query["labelSelector"].ToString());
        }
        catch (FormatException e)
        {
            throw Statuses.BadRequest(e.Message);
        }

        var fields = FieldSelectors.Parse(query["fieldSelector"].ToString());
        foreach (var term in fields)
        {
            if (term.Key != "metadata.name" && !(term.Key == "metadata.namespace" && resource.Rules.SelectsNamespace) && resource.Rules.SelectableFields.All(f => f.Label != term.Key))
            {
                throw Statuses.BadRequest($"field label not supported: {term.Key}");
            }
        }

        return new ObjectFilter(labels, fields, context.Info.Name.Length > 0 && fields.All(f => f.Key != "metadata.name") ? context.Info.Name : null, resource.Registry.IsCustom ? resource.Rules.SelectableFields : null);
    }

    /// <summary>The value of the kind's index field, when just one is asked for.</summary>
    public string? IndexValue(KindRules rules) =>
        rules.IndexField is { } index ? _fields.FirstOrDefault(f => f.Key == index && f.IsEqual)?.Value : null;

    public bool Matches(CachedObject value)
    {
        if (_name is not null && value.Name != _name)
        {
            return false;
        }

        foreach (var term in _fields)
        {
            var actual = term.Key switch
            {
                "metadata.name" => value.Name,
                "metadata.namespace" => value.Namespace,
                _ => FieldOf(value, term.Key),
            };
            if (actual == term.Value != term.IsEqual)
            {
                return false;
            }
        }

        return _labels.Matches(value.Labels);
    }

    /// <summary>Custom objects may have been read before their definition was known: they are read for this again.</summary>
    private string FieldOf(CachedObject value, string field)
    {
        if (_custom is null)
        {
            return value.Fields.GetValueOrDefault(field, "");
        }

        var scanner = new MetadataScanner(value.Json.Span, _custom);
        scanner.Scan();
        return scanner.Fields?.GetValueOrDefault(field, "") ?? "";
    }
}

/// <summary>One term of a field selector.</summary>
internal sealed record FieldTerm(string Key, string Value, bool IsEqual);

/// <summary>Reads field selectors: a=b, a==b, a!=b, joined by commas; a backslash takes the next of \ , = as it is.</summary>
internal static class FieldSelectors
{
    public static IReadOnlyList<FieldTerm> Parse(string text)
    {
        if (text.Length == 0)
        {
            return [];
        }

        var terms = new List<FieldTerm>();
        foreach (var term in Split(text))
        {
            if (term.Length > 0)
            {
                terms.Add(Term(term, text));
            }
        }

        return terms;
    }

    private static FieldTerm Term(string term, string all)
    {
        for (var i = 0; i < term.Length; i++)
        {
            switch (term[i])
            {
                case '\\':
                    i++;
                    break;
                case '!' when i + 1 < term.Length && term[i + 1] == '=':
                    return new FieldTerm(term[..i], Unescape(term[(i + 2)..], all), false);
                case '=':
                    var from = i + 1 < term.Length && term[i + 1] == '=' ? i + 2 : i + 1;
                    return new FieldTerm(term[..i], Unescape(term[from..], all), true);
            }
        }

        throw Statuses.BadRequest($"invalid field selector \"{all}\": cannot understand '{term}'");
    }

    private static List<string> Split(string text)
    {
        var parts = new List<string>();
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\')
            {
                i++;
            }
            else if (text[i] == ',')
            {
                parts.Add(text[start..i]);
                start = i + 1;
            }
        }

        parts.Add(text[start..]);
        return parts;
    }

    private static string Unescape(string value, string all)
    {
        if (value.AsSpan().IndexOfAny('\\', ',', '=') < 0)
        {
            return value;
        }

        var text = new System.Text.StringBuilder(value.Length);
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] == '\\')
            {
                if (++i >= value.Length || value[i] is not ('\\' or ',' or '='))
                {
                    throw Statuses.BadRequest($"invalid field selector \"{all}\": bad escape");
                }
            }
            else if (value[i] is ',' or '=')
            {
                throw Statuses.BadRequest($"invalid field selector \"{all}\": unescaped '{value[i]}'");
            }

            text.Append(value[i]);
        }

        return text.ToString();
    }
}
