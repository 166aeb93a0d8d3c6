using Hardway.Cel.Kubernetes;

namespace Hardway.Cel.Tests;

/// <summary>Types and costs of expressions, found without evaluating them; and whatever text is given, nothing but the errors that are promised.</summary>
public sealed class CheckTests
{
    private static readonly Dictionary<string, CelDecl> s_types = new(StringComparer.Ordinal)
    {
        ["self"] = CelDecl.Object("self", new Dictionary<string, CelDecl>(StringComparer.Ordinal)
        {
            ["name"] = CelDecl.Text.WithSize(10),
            ["count"] = CelDecl.Int,
            ["ratio"] = CelDecl.Double,
            ["tags"] = CelDecl.List(CelDecl.Text.WithSize(10)).WithSize(5),
            ["labels"] = CelDecl.Map(CelDecl.Text, CelDecl.Text),
            ["any"] = CelDecl.Dyn,
            ["when"] = CelDecl.Timestamp,
            ["many"] = CelDecl.List(CelDecl.Int),
        }),
        ["authorizer"] = CelDecl.Opaque("kubernetes.authorization.Authorizer"),
    };

    [Theory]
    [InlineData("self.count > 1 && self.ratio < 2", "bool")]
    [InlineData("self.tags.filter(t, t.startsWith('a')).map(t, t.size())", "list(int)")]
    [InlineData("has(self.name) ? self.name : 'x'", "string")]
    [InlineData("self.any.x.y", "dyn")]
    [InlineData("self.?name.orValue('z')", "string")]
    [InlineData("self.labels['a'].split(',')[0]", "string")]
    [InlineData("self.when - timestamp('2020-01-01T00:00:00Z')", "google.protobuf.Duration")]
    [InlineData("quantity('1Gi').add(quantity('1')).compareTo(quantity('2Gi'))", "int")]
    [InlineData("authorizer.group('').resource('pods').check('get').allowed()", "bool")]
    [InlineData("Object{spec: Object.spec{replicas: 1}}", "Object")]
    [InlineData("[JSONPatch{op: 'add', path: '/a', value: 1}]", "list(JSONPatch)")]
    [InlineData("cel.bind(x, self.count, x + 1)", "int")]
    [InlineData("math.greatest(1, 2)", "int")]
    [InlineData("ip('10.0.0.1').family()", "int")]
    [InlineData("null", "null")]
    public void An_expression_has_a_type(string expression, string type) => Assert.Equal(type, AdmissionTypes.Check(expression, s_types).Type.ToString());

    [Theory]
    [InlineData("self.none")]
    [InlineData("self.count + 'x'")]
    [InlineData("self.count == 'x'")]
    [InlineData("self.count == null")]
    [InlineData("self.name.all(c, true)")]
    [InlineData("self.tags.all(t, t)")]
    [InlineData("self.count.startsWith('a')")]
    [InlineData("[1, 'a']")]
    [InlineData("self.count ? 1 : 2")]
    [InlineData("!self.name")]
    [InlineData("self.tags['a']")]
    [InlineData("self.count && true")]
    [InlineData("math")]
    public void Types_that_do_not_fit_are_found(string expression) => Assert.True(Record.Exception(() => AdmissionTypes.Check(expression, s_types)) is CelTypeException or CelSyntaxException);

    [Fact]
    public void Cost_grows_with_what_an_expression_goes_over()
    {
        var one = AdmissionTypes.Check("self.tags.all(t, t.size() > 0)", s_types).Cost;
        var nested = AdmissionTypes.Check("self.tags.all(t, self.tags.all(u, t.contains(u)))", s_types).Cost;
        Assert.InRange(one, 1, 200);
        Assert.InRange(nested, one * 2, 2000);
        Assert.True(double.IsInfinity(AdmissionTypes.Check("self.many.all(n, n > 0)", s_types).Cost));
        Assert.Equal(["self"], AdmissionTypes.Check("self.tags.all(authorizer, authorizer == '')", s_types).Names);
    }

    [Fact]
    public void Whatever_is_written_ends_in_a_value_or_an_error_of_the_language()
    {
        string[] words = ["self", ".", "name", "tags", "count", "(", ")", "[", "]", "{", "}", ",", "?", ":", "&&", "||", "==", "<", "+", "-", "*", "/", "%", "!", "in", "1", "2.5", "'a'", "b'x'", "null", "true", "size", "all", "map", "t", "has", "cel", "bind", "Object", "\"", "\\", "0x", "1u", "optional", "of", "matches", "'('", "format", "'%s'", "\u00e9", "x"];
        var random = new Random(20260101);
        var env = new CelEnvironment("self");
        var variables = new Dictionary<string, object?> { ["self"] = new Dictionary<string, object?> { ["name"] = "n", ["tags"] = new List<object?> { "a", "b" }, ["count"] = 3L } };
        var compiled = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var text = string.Join(random.Next(3) == 0 ? "" : " ", Enumerable.Range(0, random.Next(1, 14)).Select(_ => words[random.Next(words.Length)]));
            try
            {
                var program = env.Compile(text);
                compiled++;
                try
                {
                    program.Check(s_types);
                }
                catch (CelTypeException)
                {
                    // Not every text that parses has types that fit.
                }

                program.Evaluate(variables, new CelBudget(10_000));
            }
            catch (Exception e) when (e is CelSyntaxException or CelException)
            {
                // These are what callers expect.
            }
        }

        Assert.True(compiled > 100, $"only {compiled} texts parsed: the words make no sense any more");
    }

    [Theory]
    [InlineData("self.tags.map(a, self.tags.map(b, self.tags.map(c, self.tags.map(d, self.tags.map(e, a + b + c + d + e)))))")]
    [InlineData("lists.range(1000000).all(i, i >= 0)")]
    [InlineData("'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'.matches('(a*)*b')")]
    public void Work_is_bounded(string expression)
    {
        var variables = new Dictionary<string, object?> { ["self"] = new Dictionary<string, object?> { ["tags"] = Enumerable.Range(0, 30).Select(i => (object?)$"tag{i}").ToList() } };
        var budget = new CelBudget(100_000);
        try
        {
            new CelEnvironment("self").Compile(expression).Evaluate(variables, budget);
        }
        catch (CelException)
        {
            // Too much work, or a pattern that is refused.
        }

        Assert.True(budget.Left <= 100_000);
    }
}
