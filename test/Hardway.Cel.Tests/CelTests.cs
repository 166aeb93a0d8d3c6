using Hardway.Api;

namespace Hardway.Cel.Tests;

public sealed class CelTests
{
    private const string Self = """
        {"name":"web","replicas":3,"ratio":0.5,"tags":["b","a","c"],"labels":{"app":"x","tier":"y"},"empty":[],"on":true,"nil":null,
         "a-b":1,"namespace":"ns","items":[{"k":"x","v":1},{"k":"y","v":2}]}
        """;

    [Theory]
    [InlineData("1 + 2 * 3 == 7")]
    [InlineData("(1 + 2) * 3 == 9")]
    [InlineData("-7 / 2 == -3 && -7 % 3 == -1")]
    [InlineData("7u / 2u == 3u && 0x10 == 16")]
    [InlineData("1 == 1.0 && 1u == 1 && 2 > 1.5")]
    [InlineData("1e3 == 1000.0 && .5 < 1.0")]
    [InlineData("-9223372036854775808 < 0")]
    [InlineData("'a' + \"b\" == 'ab' && 'a' < 'b'")]
    [InlineData("'\\u00e9' == 'é' && r'\\n' == '\\\\n' && b'a' == b'\\x61'")]
    [InlineData("'''a\n\"b''' == 'a\\n\"b'")]
    [InlineData("[1, 2] + [3] == [1, 2, 3] && 2 in [1, 2]")]
    [InlineData("{'a': 1}['a'] == 1 && 'a' in {'a': 1} && {1: 'x'}[1] == 'x'")]
    [InlineData("true ? 1 == 1 : 1 / 0 == 1")]
    [InlineData("true || 1 / 0 == 1")]
    [InlineData("1 / 0 == 1 || true")]
    [InlineData("!(false && 1 / 0 == 1) && !(1 / 0 == 1 && false)")]
    [InlineData("self.replicas > 2 && self.name == 'web'")]
    [InlineData("has(self.name) && !has(self.none) && !has(self.labels.none)")]
    [InlineData("self.?none.orValue('x') == 'x' && self.?labels.?app.value() == 'x'")]
    [InlineData("self[?'none'].hasValue() == false && self.tags[?1].value() == 'a'")]
    [InlineData("optional.of(1).optMap(x, x + 1).value() == 2 && optional.none().or(optional.of(3)).value() == 3")]
    [InlineData("[?optional.none(), 1].size() == 1 && {?'a': optional.none(), 'b': 2}.size() == 1")]
    [InlineData("self.a__dash__b == 1 && self.__namespace__ == 'ns' && self.namespace == 'ns'")]
    [InlineData("self.tags.all(t, t.size() == 1) && self.tags.exists(t, t == 'c') && self.tags.exists_one(t, t == 'a')")]
    [InlineData("self.labels.all(k, self.labels[k].size() == 1)")]
    [InlineData("self.labels.all(k, v, k != v)")]
    [InlineData("self.items.filter(i, i.v > 1).map(i, i.k) == ['y']")]
    [InlineData("self.items.map(i, i.v > 1, i.k) == ['y']")]
    [InlineData("self.items.exists(i, i.missing == 1 || i.v == 2)")]
    [InlineData("[1, 2, 3].transformList(i, v, i * v) == [0, 2, 6]")]
    [InlineData("{'a': 1}.transformMap(k, v, v + 1) == {'a': 2}")]
    [InlineData("cel.bind(x, self.replicas * 2, x + x) == 12")]
    [InlineData("size(self.tags) == 3 && self.name.size() == 3 && size('é') == 1")]
    [InlineData("'hello'.substring(1, 3) == 'el' && 'hello'.indexOf('l') == 2 && 'hello'.lastIndexOf('l') == 3 && 'hello'.charAt(4) == 'o'")]
    [InlineData("'a,b'.split(',') == ['a', 'b'] && ['a', 'b'].join('-') == 'a-b' && 'aXbX'.replace('X', 'y', 1) == 'aybX'")]
    [InlineData("'Ab'.lowerAscii() == 'ab' && ' x '.trim() == 'x' && 'abc'.reverse() == 'cba'")]
    [InlineData("'%s is %d, %.2f, %x'.format(['a', 3, 1.5, 255]) == 'a is 3, 1.50, ff'")]
    [InlineData("'%s'.format([[1, 'b', {'k': true}]]) == '[1, b, {k: true}]'")]
    [InlineData("'web-1'.matches('^[a-z]+-[0-9]$') && 'x1y22'.findAll('[0-9]+') == ['1', '22'] && 'x1'.find('\\\\d') == '1'")]
    [InlineData("'abc'.contains('b') && 'abc'.startsWith('ab') && 'abc'.endsWith('bc')")]
    [InlineData("[3, 1, 2].max() == 3 && [3, 1].min() == 1 && [1, 2].sum() == 3 && [1, 2].isSorted() && self.tags.indexOf('a') == 1")]
    [InlineData("sets.contains([1, 2], [2]) && sets.equivalent([1, 1], [1]) && !sets.intersects([1], [2])")]
    [InlineData("timestamp('2024-01-02T03:04:05Z').getFullYear() == 2024 && timestamp('2024-01-02T03:04:05Z').getMonth() == 0")]
    [InlineData("timestamp('2024-01-01T00:00:00Z') + duration('1h30m') == timestamp('2024-01-01T01:30:00Z')")]
    [InlineData("duration('90s').getMinutes() == 1 && duration('1h') > duration('59m')")]
    [InlineData("quantity('1Gi').isGreaterThan(quantity('1G')) && quantity('500m').add(quantity('500m')).compareTo(quantity('1')) == 0 && isQuantity('1x') == false")]
    [InlineData("ip('10.0.0.1').family() == 4 && cidr('10.0.0.0/8').containsIP('10.1.2.3') && !isIP('010.0.0.1') && isCIDR('::/0')")]
    [InlineData("url('https://a.test:80/x?b=1&b=2').getHost() == 'a.test:80' && url('https://a.test/x?b=1&b=2').getQuery()['b'] == ['1', '2'] && isURL('/x') && !isURL('x')")]
    [InlineData("semver('1.2.3-a').isLessThan(semver('1.2.3')) && semver('1.10.0').minor() == 10 && !isSemver('1.2')")]
    [InlineData("format.dns1123Label().validate('A').hasValue() && !format.named('uuid').value().validate('123e4567-e89b-12d3-a456-426614174000').hasValue()")]
    [InlineData("base64.decode(base64.encode(b'hi')) == b'hi' && string(b'hi') == 'hi' && int('42') == 42 && string(1.5) == '1.5'")]
    [InlineData("type(1) == int && type('x') == string && type(null) == null_type && type([]) == list")]
    [InlineData("math.greatest(1, 2.5, 2u) == 2.5 && math.least([3, 1]) == 1 && math.abs(-2) == 2")]
    [InlineData("self.nil == null && dyn(1) == 1 && 'x' != 1")]
    [InlineData("Object{metadata: Object.metadata{labels: {'a': 'b'}}} == {'metadata': {'labels': {'a': 'b'}}}")]
    [InlineData("JSONPatch{op: 'add', path: '/x/' + jsonpatch.escapeKey('a/b')}.path == '/x/a~1b'")]
    [InlineData("self.name // a comment\n == 'web'")]
    public void Expressions_that_are_true(string expression) => Assert.Equal(true, Evaluate(expression));

    [Theory]
    [InlineData("1 / 0 == 1", "division by zero")]
    [InlineData("9223372036854775807 + 1 > 0", "overflow")]
    [InlineData("self.none == 1", "no such key: none")]
    [InlineData("self.tags[7] == 'x'", "index out of bounds")]
    [InlineData("1 + 'a' == 'x'", "no such overload")]
    [InlineData("'x' && true", "no such overload")]
    [InlineData("self.name.all(x, true)", "cannot be range")]
    [InlineData("optional.none().value() == 1", "dereference")]
    [InlineData("{'a': 1, 'a': 2}.size() == 1", "already exists")]
    [InlineData("'a'.matches('(')", "regexp")]
    public void Expressions_without_a_value_say_why(string expression, string why) =>
        Assert.Contains(why, Assert.Throws<CelException>(() => Evaluate(expression)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("1 +")]
    [InlineData("self.")]
    [InlineData("unknown == 1")]
    [InlineData("nothing(1)")]
    [InlineData("self.nothing()")]
    [InlineData("'abc")]
    [InlineData("a b")]
    [InlineData("has(self)")]
    [InlineData("[1,2].all(1, true)")]
    [InlineData("for == 1")]
    [InlineData("x.y == 1")]
    [InlineData("self.name.size(1, 2)")]
    [InlineData("")]
    public void Expressions_that_are_none_are_refused_when_compiled(string expression) =>
        Assert.Throws<CelSyntaxException>(() => new CelEnvironment("self").Compile(expression));

    [Fact]
    public void Work_is_bounded()
    {
        var program = new CelEnvironment("self").Compile("[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, a + b + c > 0)))");

        Assert.Equal(true, program.Evaluate(new Dictionary<string, object?>(), new CelBudget(1_000_000)));
        Assert.Throws<CelBudgetException>(() => program.Evaluate(new Dictionary<string, object?>(), new CelBudget(1_000)));
        Assert.Throws<CelBudgetException>(() => new CelEnvironment("s").Compile("s.contains('x') || true").Evaluate(new Dictionary<string, object?> { ["s"] = new string('a', 100_000) }, new CelBudget(100)));
    }

    [Fact]
    public void Nesting_is_bounded()
    {
        Assert.Throws<CelSyntaxException>(() => new CelEnvironment().Compile(new string('(', 5000) + "1" + new string(')', 5000)));
        Assert.Throws<CelSyntaxException>(() => new CelEnvironment().Compile(new string('!', 5000) + "true"));
        Assert.Throws<CelSyntaxException>(() => new CelEnvironment().Compile(new string('[', 5000)));
        Assert.Throws<CelSyntaxException>(() => new CelEnvironment().Compile("1" + string.Concat(Enumerable.Repeat("+1", 5000))));
        Assert.Equal(true, new CelEnvironment().Compile("true" + string.Concat(Enumerable.Repeat("&&true", 5000))).Evaluate(new Dictionary<string, object?>(), new CelBudget(100_000)));
    }

    [Fact]
    public void Whatever_is_written_is_an_expression_or_refused()
    {
        string[] pieces = ["self", ".", "name", "tags", "(", ")", "[", "]", "{", "}", "1", "2u", "1.5", "'a'", "\"", "'", "+", "-", "*", "/", "%", "==", "<", "&&", "||", "!", "?", ":", ",", "in", "has", "all", "map", "x", "size", " ", "\\", "0x", "b'", "r'", "é", "\n", "`", "cel.bind", "optional.of", ".?", "[?", "matches", "format", "null", "true"];
        var random = new Random(17);
        var environment = new CelEnvironment("self");
        for (var i = 0; i < 30_000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 14)).Select(_ => pieces[random.Next(pieces.Length)]));
            try
            {
                environment.Compile(text).Evaluate(Variables(), new CelBudget(10_000));
            }
            catch (Exception e) when (e is CelSyntaxException or CelException)
            {
                // Refused, or without a value.
            }
        }
    }

    private static object? Evaluate(string expression) => new CelEnvironment("self").Compile(expression).Evaluate(Variables(), new CelBudget(1_000_000));

    private static Dictionary<string, object?> Variables() => new() { ["self"] = ApiJson.DeserializeTree(System.Text.Encoding.UTF8.GetBytes(Self)) };
}
