namespace Hardway.Hosting.Tests;

public sealed class FlagSetTests
{
    private readonly FlagSet _flags = new("kube-test", "A program.");
    private readonly StringWriter _out = new();
    private readonly StringWriter _error = new();
    private int _code = -1;

    private bool Parse(params string[] args) => _flags.TryParse(args, _out, _error, out _code);

    [Fact]
    public void Values_follow_an_equals_sign_or_a_space_and_underscores_are_dashes()
    {
        string kubeconfig = "", other = "";
        _flags.String("kubeconfig", "", v => kubeconfig = v);
        _flags.String("root-ca-file", "", v => other = v);
        Assert.True(Parse("--kubeconfig=/a=b", "--root_ca_file", "/ca"));
        Assert.Equal("/a=b", kubeconfig);
        Assert.Equal("/ca", other);
        Assert.True(_flags.Changed("kubeconfig"));
    }

    [Fact]
    public void A_bare_boolean_is_true_and_takes_no_following_value()
    {
        var elect = false;
        var v = 0;
        _flags.Bool("leader-elect", "", x => elect = x);
        _flags.Int("v", "", x => v = x);
        _flags.Shorthand('v', "v");
        Assert.True(Parse("--leader-elect", "-v=2"));
        Assert.True(elect);
        Assert.Equal(2, v);
        Assert.True(Parse("--leader-elect=false", "-v", "4"));
        Assert.False(elect);
        Assert.Equal(4, v);
    }

    [Fact]
    public void Durations_lists_and_maps_are_read_as_upstream_does()
    {
        var period = TimeSpan.Zero;
        List<string> list = [];
        Dictionary<string, string> map = [];
        _flags.Duration("period", "", x => period = x);
        _flags.StringList("controllers", "", x => list = x);
        _flags.Map("feature-gates", "", x => map = x);
        Assert.True(Parse("--period=1m30s", "--controllers=*,-ttl", "--controllers=job", "--feature-gates=A=true,B=false"));
        Assert.Equal(TimeSpan.FromSeconds(90), period);
        Assert.Equal(["*", "-ttl", "job"], list);
        Assert.Equal("false", map["B"]);
    }

    [Theory]
    [InlineData("--nope=1", "unknown flag --nope")]
    [InlineData("--count=x", "is not a whole number")]
    [InlineData("--count", "needs a value")]
    [InlineData("stray", "unexpected argument")]
    public void A_bad_command_line_is_one_line(string arg, string expected)
    {
        _flags.Int("count", "", _ => { });
        Assert.False(Parse(arg));
        Assert.Equal(1, _code);
        Assert.Contains(expected, _error.ToString(), StringComparison.Ordinal);
        Assert.Single(_error.ToString().TrimEnd().Split('\n'));
    }

    [Fact]
    public void An_inert_flag_is_accepted_with_one_warning()
    {
        _flags.Inert("cloud-config");
        _flags.InertBools("profiling");
        Assert.True(Parse("--cloud-config=x", "--cloud-config=y", "--profiling"));
        Assert.Equal(2, _flags.Warnings.Count);
    }

    [Fact]
    public void Help_and_version_end_the_program_well()
    {
        _flags.Duration("period", "how often", _ => { }, TimeSpan.FromSeconds(15));
        Assert.False(Parse("--help"));
        Assert.Equal(0, _code);
        Assert.Contains("how often (default 15s)", _out.ToString(), StringComparison.Ordinal);
        Assert.False(Parse("--version"));
        Assert.Contains("Kubernetes v1.36", _out.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("15s", 15_000)]
    [InlineData("1m0s", 60_000)]
    [InlineData("1h", 3_600_000)]
    [InlineData("1.5h", 5_400_000)]
    [InlineData("250ms", 250)]
    [InlineData("0", 0)]
    [InlineData("-2s", -2_000)]
    public void Go_durations_are_read(string text, double milliseconds) => Assert.Equal(milliseconds, GoDuration.Parse(text).TotalMilliseconds);

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("s")]
    [InlineData("1x")]
    public void What_is_no_go_duration_is_refused(string text) => Assert.False(GoDuration.TryParse(text, out _));

    [Theory]
    [InlineData(90, "1m30s")]
    [InlineData(3600, "1h0m0s")]
    [InlineData(0.25, "250ms")]
    [InlineData(1.5, "1.5s")]
    [InlineData(0, "0s")]
    public void Go_durations_are_written(double seconds, string text) => Assert.Equal(text, GoDuration.Format(TimeSpan.FromSeconds(seconds)));
}
