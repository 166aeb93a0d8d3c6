using System.Globalization;
using System.Text.RegularExpressions;
using Hardway.Api.Meta.V1;

namespace Hardway.Api;

public enum SelectorOperator
{
    In,
    NotIn,
    Exists,
    DoesNotExist,
    GreaterThan,
    LessThan,
}

/// <summary>One requirement on a label.</summary>
public sealed record SelectorRequirement(string Key, SelectorOperator Operator, string[] Values)
{
    public bool Matches(IReadOnlyDictionary<string, string>? labels)
    {
        string? value = null;
        var has = labels is not null && labels.TryGetValue(Key, out value);
        return Operator switch
        {
            SelectorOperator.In => has && Array.IndexOf(Values, value) >= 0,
            SelectorOperator.NotIn => !has || Array.IndexOf(Values, value) < 0,
            SelectorOperator.Exists => has,
            SelectorOperator.DoesNotExist => !has,
            _ => has && long.TryParse(value, CultureInfo.InvariantCulture, out var left) && long.TryParse(Values[0], CultureInfo.InvariantCulture, out var right)
                && (Operator == SelectorOperator.GreaterThan ? left > right : left < right),
        };
    }

    public override string ToString() => Operator switch
    {
        SelectorOperator.In when Values.Length == 1 => Key + "=" + Values[0],
        SelectorOperator.NotIn when Values.Length == 1 => Key + "!=" + Values[0],
        SelectorOperator.In => Key + " in (" + string.Join(",", Values) + ")",
        SelectorOperator.NotIn => Key + " notin (" + string.Join(",", Values) + ")",
        SelectorOperator.Exists => Key,
        SelectorOperator.DoesNotExist => "!" + Key,
        SelectorOperator.GreaterThan => Key + ">" + Values[0],
        _ => Key + "<" + Values[0],
    };
}

/// <summary>A label selector, compiled. Immutable.</summary>
public sealed class Selector
{
    private Selector(SelectorRequirement[] requirements, bool matchesNothing = false)
    {
        Requirements = requirements;
        MatchesNothing = matchesNothing;
    }

    public static Selector Everything { get; } = new([]);

    public static Selector Nothing { get; } = new([], matchesNothing: true);

    public SelectorRequirement[] Requirements { get; }

    public bool MatchesNothing { get; }

    public bool IsEverything => Requirements.Length == 0 && !MatchesNothing;

    /// <summary>Of a LabelSelector: null selects nothing, an empty one everything.</summary>
    /// <exception cref="FormatException">An operator is unknown or has the wrong number of values.</exception>
    public static Selector From(LabelSelector? selector)
    {
        if (selector is null)
        {
            return Nothing;
        }

        var all = FromMap(selector.MatchLabels).Requirements.ToList();
        foreach (var e in selector.MatchExpressions ?? [])
        {
            var values = (e.Values ?? []).ToArray();
            var op = e.Operator switch
            {
                "In" => SelectorOperator.In,
                "NotIn" => SelectorOperator.NotIn,
                "Exists" => SelectorOperator.Exists,
                "DoesNotExist" => SelectorOperator.DoesNotExist,
                _ => throw new FormatException($"\"{e.Operator}\" is not a valid label selector operator"),
            };
            all.Add(new SelectorRequirement(e.Key, op, values));
        }

        return new Selector([.. all]);
    }

    /// <summary>Of a plain map (a Service's or ReplicationController's selector): every pair must match; empty selects everything.</summary>
    public static Selector FromMap(IReadOnlyDictionary<string, string>? map) =>
        map is null || map.Count == 0
            ? Everything
            : new Selector([.. map.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => new SelectorRequirement(p.Key, SelectorOperator.In, [p.Value]))]);

    /// <summary>All of these requirements; those that stand twice once.</summary>
    public static Selector Of(IEnumerable<SelectorRequirement> requirements) => new([.. requirements.DistinctBy(r => r.ToString(), StringComparer.Ordinal).OrderBy(r => r.Key, StringComparer.Ordinal)]);

    /// <summary>Reads the query form: a=b, a!=b, a in (b,c), a notin (b), a, !a, a&gt;1, a&lt;2, joined by commas.</summary>
    /// <exception cref="FormatException">The text is no selector.</exception>
    public static Selector Parse(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return Everything;
        }

        var parser = new SelectorParser(text);
        return new Selector([.. parser.Parse().OrderBy(r => r.Key, StringComparer.Ordinal)]);
    }

    public bool Matches(IReadOnlyDictionary<string, string>? labels)
    {
        if (MatchesNothing)
        {
            return false;
        }

        foreach (var requirement in Requirements)
        {
            if (!requirement.Matches(labels))
            {
                return false;
            }
        }

        return true;
    }

    public override string ToString() => string.Join(",", (object[])Requirements);
}

/// <summary>Recursive descent over a selector's query form.</summary>
internal sealed partial class SelectorParser(string text)
{
    private int _at;

    public List<SelectorRequirement> Parse()
    {
        var all = new List<SelectorRequirement>();
        while (true)
        {
            Space();
            all.Add(Requirement());
            Space();
            if (_at >= text.Length)
            {
                return all;
            }

            Expect(',');
        }
    }

    private SelectorRequirement Requirement()
    {
        if (Take('!'))
        {
            Space();
            return new(Key(), SelectorOperator.DoesNotExist, []);
        }

        var key = Key();
        Space();
        if (_at >= text.Length || text[_at] == ',')
        {
            return new(key, SelectorOperator.Exists, []);
        }

        if (Take('='))
        {
            _ = Take('=');
            return new(key, SelectorOperator.In, [Value()]);
        }

        if (Take('!'))
        {
            Expect('=');
            return new(key, SelectorOperator.NotIn, [Value()]);
        }

        if (Take('>') || Take('<'))
        {
            var op = text[_at - 1] == '>' ? SelectorOperator.GreaterThan : SelectorOperator.LessThan;
            var number = Value();
            return long.TryParse(number, out _) ? new(key, op, [number]) : throw Bad("a comparison needs an integer");
        }

        var word = Word();
        return word switch
        {
            "in" => new(key, SelectorOperator.In, Values()),
            "notin" => new(key, SelectorOperator.NotIn, Values()),
            _ => throw Bad($"found '{word}', expected one of: in, notin, =, ==, !=, gt, lt"),
        };
    }

    private string[] Values()
    {
        Space();
        Expect('(');
        var values = new List<string>();
        while (true)
        {
            values.Add(Value());
            Space();
            if (Take(')'))
            {
                return [.. values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
            }

            Expect(',');
        }
    }

    private string Key()
    {
        var key = Word();
        return key.Length is > 0 and <= 317 && KeyPattern().IsMatch(key) ? key : throw Bad($"\"{key}\" is not a label key");
    }

    private string Value()
    {
        Space();
        var value = Word();
        return value.Length <= 63 && ValuePattern().IsMatch(value) ? value : throw Bad($"\"{value}\" is not a label value");
    }

    private string Word()
    {
        var from = _at;
        while (_at < text.Length && text[_at] is not ('=' or '!' or ',' or '(' or ')' or '<' or '>' or ' ' or '\t'))
        {
            _at++;
        }

        return text[from.._at];
    }

    private void Space()
    {
        while (_at < text.Length && char.IsWhiteSpace(text[_at]))
        {
            _at++;
        }
    }

    private bool Take(char c)
    {
        if (_at < text.Length && text[_at] == c)
        {
            _at++;
            return true;
        }

        return false;
    }

    private void Expect(char c)
    {
        if (!Take(c))
        {
            throw Bad($"expected '{c}' at position {_at}");
        }
    }

    private FormatException Bad(string why) => new($"unable to parse the selector \"{text}\": {why}");

    [GeneratedRegex(@"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$")]
    private static partial Regex KeyPattern();

    [GeneratedRegex(@"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$")]
    private static partial Regex ValuePattern();
}
