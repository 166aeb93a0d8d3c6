namespace Hardway.Cel.Checking;

/// <summary>One overload of a function; of a method the first parameter is its target.</summary>
internal sealed record Signature(string Name, bool IsMethod, CelDecl[] Parameters, CelDecl Result);

/// <summary>
/// The types of all functions, written as they are called: <c>string.contains(string) bool</c>, <c>size(list&lt;A&gt;) int</c>. A and B stand for any type.
/// Operators go by their symbols. Read once.
/// </summary>
internal static class Signatures
{
    private const string Operators = """
        ==(A, A) bool
        !=(A, A) bool
        !(bool) bool
        neg(int) int
        neg(double) double
        +(int, int) int
        +(uint, uint) uint
        +(double, double) double
        +(string, string) string
        +(bytes, bytes) bytes
        +(list<A>, list<A>) list<A>
        +(timestamp, duration) timestamp
        +(duration, timestamp) timestamp
        +(duration, duration) duration
        -(int, int) int
        -(uint, uint) uint
        -(double, double) double
        -(timestamp, timestamp) duration
        -(timestamp, duration) timestamp
        -(duration, duration) duration
        *(int, int) int
        *(uint, uint) uint
        *(double, double) double
        /(int, int) int
        /(uint, uint) uint
        /(double, double) double
        %(int, int) int
        %(uint, uint) uint
        in(A, list<A>) bool
        in(A, map<A, B>) bool
        """;

    private const string Functions = """
        dyn(A) dyn
        type(A) type
        bool(bool) bool
        bool(string) bool
        int(int) int
        int(uint) int
        int(double) int
        int(string) int
        int(timestamp) int
        int(duration) int
        uint(uint) uint
        uint(int) uint
        uint(double) uint
        uint(string) uint
        double(double) double
        double(int) double
        double(uint) double
        double(string) double
        bytes(bytes) bytes
        bytes(string) bytes
        string(string) string
        string(bool) string
        string(int) string
        string(uint) string
        string(double) string
        string(bytes) string
        string(timestamp) string
        string(duration) string
        string(net.IP) string
        string(net.CIDR) string
        size(string) int
        size(bytes) int
        size(list<A>) int
        size(map<A, B>) int
        string.size() int
        bytes.size() int
        list<A>.size() int
        map<A, B>.size() int
        timestamp(timestamp) timestamp
        timestamp(string) timestamp
        timestamp(int) timestamp
        duration(duration) duration
        duration(string) duration
        duration(int) duration
        string.contains(string) bool
        string.startsWith(string) bool
        string.endsWith(string) bool
        string.matches(string) bool
        matches(string, string) bool
        string.find(string) string
        string.findAll(string) list<string>
        string.findAll(string, int) list<string>
        string.lowerAscii() string
        string.upperAscii() string
        string.trim() string
        string.reverse() string
        string.charAt(int) string
        string.indexOf(string) int
        string.indexOf(string, int) int
        string.lastIndexOf(string) int
        string.lastIndexOf(string, int) int
        string.substring(int) string
        string.substring(int, int) string
        string.replace(string, string) string
        string.replace(string, string, int) string
        string.split(string) list<string>
        string.split(string, int) list<string>
        list<string>.join() string
        list<string>.join(string) string
        string.format(list<dyn>) string
        strings.quote(string) string
        jsonpatch.escapeKey(string) string
        base64.encode(bytes) string
        base64.decode(string) bytes
        list<A>.isSorted() bool
        list<int>.sum() int
        list<uint>.sum() uint
        list<double>.sum() double
        list<duration>.sum() duration
        list<A>.min() A
        list<A>.max() A
        list<A>.indexOf(A) int
        list<A>.lastIndexOf(A) int
        list<A>.distinct() list<A>
        list<A>.flatten() list<dyn>
        list<A>.flatten(int) list<dyn>
        list<A>.slice(int, int) list<A>
        list<A>.sort() list<A>
        list<A>.reverse() list<A>
        lists.range(int) list<int>
        sets.contains(list<A>, list<A>) bool
        sets.equivalent(list<A>, list<A>) bool
        sets.intersects(list<A>, list<A>) bool
        math.abs(A) A
        math.sign(A) A
        math.sqrt(A) double
        math.ceil(double) double
        math.floor(double) double
        math.round(double) double
        math.trunc(double) double
        math.isNaN(double) bool
        math.isInf(double) bool
        math.isFinite(double) bool
        math.bitAnd(A, A) A
        math.bitOr(A, A) A
        math.bitXor(A, A) A
        math.bitNot(A) A
        math.bitShiftLeft(A, int) A
        math.bitShiftRight(A, int) A
        optional.of(A) optional<A>
        optional.ofNonZeroValue(A) optional<A>
        optional.none() optional<A>
        optional<A>.hasValue() bool
        optional<A>.value() A
        optional<A>.orValue(A) A
        optional<A>.or(optional<A>) optional<A>
        ip(string) net.IP
        isIP(string) bool
        ip.isCanonical(string) bool
        net.IP.family() int
        net.IP.isUnspecified() bool
        net.IP.isLoopback() bool
        net.IP.isLinkLocalMulticast() bool
        net.IP.isLinkLocalUnicast() bool
        net.IP.isGlobalUnicast() bool
        cidr(string) net.CIDR
        isCIDR(string) bool
        net.CIDR.containsIP(net.IP) bool
        net.CIDR.containsIP(string) bool
        net.CIDR.containsCIDR(net.CIDR) bool
        net.CIDR.containsCIDR(string) bool
        net.CIDR.ip() net.IP
        net.CIDR.masked() net.CIDR
        net.CIDR.prefixLength() int
        url(string) kubernetes.URL
        isURL(string) bool
        kubernetes.URL.getScheme() string
        kubernetes.URL.getHost() string
        kubernetes.URL.getHostname() string
        kubernetes.URL.getPort() string
        kubernetes.URL.getEscapedPath() string
        kubernetes.URL.getQuery() map<string, list<string>>
        quantity(string) kubernetes.Quantity
        isQuantity(string) bool
        kubernetes.Quantity.sign() int
        kubernetes.Quantity.isInteger() bool
        kubernetes.Quantity.asInteger() int
        kubernetes.Quantity.asApproximateFloat() double
        kubernetes.Quantity.add(kubernetes.Quantity) kubernetes.Quantity
        kubernetes.Quantity.add(int) kubernetes.Quantity
        kubernetes.Quantity.sub(kubernetes.Quantity) kubernetes.Quantity
        kubernetes.Quantity.sub(int) kubernetes.Quantity
        kubernetes.Quantity.isGreaterThan(kubernetes.Quantity) bool
        kubernetes.Quantity.isLessThan(kubernetes.Quantity) bool
        kubernetes.Quantity.compareTo(kubernetes.Quantity) int
        semver(string) kubernetes.Semver
        isSemver(string) bool
        kubernetes.Semver.isGreaterThan(kubernetes.Semver) bool
        kubernetes.Semver.isLessThan(kubernetes.Semver) bool
        kubernetes.Semver.compareTo(kubernetes.Semver) int
        kubernetes.Semver.major() int
        kubernetes.Semver.minor() int
        kubernetes.Semver.patch() int
        format.named(string) optional<kubernetes.NamedFormat>
        kubernetes.NamedFormat.validate(string) optional<list<string>>
        kubernetes.authorization.Authorizer.path(string) kubernetes.authorization.PathCheck
        kubernetes.authorization.Authorizer.group(string) kubernetes.authorization.GroupCheck
        kubernetes.authorization.Authorizer.serviceAccount(string, string) kubernetes.authorization.Authorizer
        kubernetes.authorization.PathCheck.check(string) kubernetes.authorization.Decision
        kubernetes.authorization.GroupCheck.resource(string) kubernetes.authorization.ResourceCheck
        kubernetes.authorization.ResourceCheck.subresource(string) kubernetes.authorization.ResourceCheck
        kubernetes.authorization.ResourceCheck.namespace(string) kubernetes.authorization.ResourceCheck
        kubernetes.authorization.ResourceCheck.name(string) kubernetes.authorization.ResourceCheck
        kubernetes.authorization.ResourceCheck.fieldSelector(string) kubernetes.authorization.ResourceCheck
        kubernetes.authorization.ResourceCheck.labelSelector(string) kubernetes.authorization.ResourceCheck
        kubernetes.authorization.ResourceCheck.check(string) kubernetes.authorization.Decision
        kubernetes.authorization.Decision.allowed() bool
        kubernetes.authorization.Decision.reason() string
        kubernetes.authorization.Decision.errored() bool
        kubernetes.authorization.Decision.error() string
        """;

    private static readonly string[] s_ordered = ["bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration"];
    private static readonly string[] s_ofTime = ["getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes", "getSeconds", "getMilliseconds"];
    private static readonly ILookup<(string Name, bool IsMethod, int Count), Signature> s_all = Lines().Select(Read).ToLookup(s => (s.Name, s.IsMethod, s.Parameters.Length));

    /// <param name="name">The function, or the operator's symbol.</param>
    /// <param name="isMethod">Called on a target.</param>
    /// <param name="count">Parameters, the target among them.</param>
    public static IEnumerable<Signature> Of(string name, bool isMethod, int count) => s_all[(name, isMethod, count)];

    private static IEnumerable<string> Lines()
    {
        foreach (var line in (Operators + "\n" + Functions).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            yield return line;
        }

        string[] numbers = ["int", "uint", "double"];
        foreach (var symbol in new[] { "<", "<=", ">", ">=" })
        {
            foreach (var type in s_ordered)
            {
                yield return $"{symbol}({type}, {type}) bool";
            }

            foreach (var (left, right) in numbers.SelectMany(l => numbers.Where(r => r != l).Select(r => (l, r))))
            {
                yield return $"{symbol}({left}, {right}) bool";
            }
        }

        foreach (var name in s_ofTime)
        {
            yield return $"timestamp.{name}() int";
            yield return $"timestamp.{name}(string) int";
        }

        foreach (var name in s_ofTime[6..])
        {
            yield return $"duration.{name}() int";
        }
    }

    private static Signature Read(string line)
    {
        var open = line.IndexOf('(', StringComparison.Ordinal);
        var close = line.LastIndexOf(')');
        var (head, result) = (line[..open], TypeOf(line[(close + 1)..].Trim()));
        var parameters = Split(line[(open + 1)..close]).Select(TypeOf).ToList();
        var dot = head.LastIndexOf('.');
        var isMethod = dot > 0 && IsType(head[..dot]);
        if (isMethod)
        {
            parameters.Insert(0, TypeOf(head[..dot]));
            head = head[(dot + 1)..];
        }

        return new Signature(head, isMethod, [.. parameters], result);
    }

    /// <summary>Targets are types; the other names before a dot are namespaces.</summary>
    private static bool IsType(string text) => text.Contains('<', StringComparison.Ordinal) || text.Contains('.', StringComparison.Ordinal) || text is "string" or "bytes" or "timestamp" or "duration";

    private static CelDecl TypeOf(string text)
    {
        var open = text.IndexOf('<', StringComparison.Ordinal);
        if (open < 0)
        {
            return text switch
            {
                "dyn" => CelDecl.Dyn,
                "bool" => CelDecl.Bool,
                "int" => CelDecl.Int,
                "uint" => CelDecl.Uint,
                "double" => CelDecl.Double,
                "string" => CelDecl.Text,
                "bytes" => CelDecl.Bytes,
                "timestamp" => CelDecl.Timestamp,
                "duration" => CelDecl.Duration,
                "type" => CelDecl.Type,
                "A" or "B" => CelDecl.Parameter(text),
                _ => CelDecl.Opaque(text),
            };
        }

        var inner = Split(text[(open + 1)..^1]).Select(TypeOf).ToArray();
        return text[..open] switch
        {
            "list" => CelDecl.List(inner[0]),
            "optional" => CelDecl.Optional(inner[0]),
            _ => CelDecl.Map(inner[0], inner[1]),
        };
    }

    /// <summary>By the commas that are in no brackets.</summary>
    private static List<string> Split(string text)
    {
        var (parts, depth, start) = (new List<string>(), 0, 0);
        for (var i = 0; i < text.Length; i++)
        {
            depth += text[i] switch { '<' => 1, '>' => -1, _ => 0 };
            if (text[i] == ',' && depth == 0)
            {
                parts.Add(text[start..i].Trim());
                start = i + 1;
            }
        }

        if (text.Length > start)
        {
            parts.Add(text[start..].Trim());
        }

        return parts;
    }
}
