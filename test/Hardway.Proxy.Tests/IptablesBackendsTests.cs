using Hardway.Proxy.Iptables;

namespace Hardway.Proxy.Tests;

/// <summary>Programs of which a script plays what each prints: the kernel of a test machine has one backend at most.</summary>
public sealed class IptablesBackendsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("backends").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private RuleCommand Machine(string version, string tables, string legacy, string nft)
    {
        var script = Path.Combine(_folder, "machine");
        File.WriteAllText(script, $$"""
            case "$1" in
              cat) printf '{{tables}}' ;;
              iptables) echo 'iptables v1.8.9 ({{version}})' ;;
              iptables-legacy-save) printf '{{legacy}}' ;;
              iptables-nft-save) printf '{{nft}}' ;;
              *) exit 1 ;;
            esac
            """);
        return new RuleCommand("sh", script);
    }

    private const string Rule = "*filter\\n-A INPUT -j ACCEPT\\nCOMMIT\\n", None = "*filter\\nCOMMIT\\n";

    [Theory]
    [InlineData("nf_tables", "filter", Rule, None, "iptables-legacy -F")]
    [InlineData("legacy", "filter", Rule, Rule, "iptables-nft -F")]
    [InlineData("nf_tables", "filter", None, Rule, null)]
    [InlineData("nf_tables", "", Rule, Rule, null)] // no tables in the kernel: nobody asks, because asking makes them
    [InlineData("legacy", "filter", Rule, None, null)]
    public async Task Rules_of_the_other_backend_are_named_with_what_to_do(string version, string tables, string legacy, string nft, string? expected)
    {
        var said = await IptablesBackends.OtherAsync(Machine(version, tables, legacy, nft), TestContext.Current.CancellationToken);

        Assert.Equal(expected is null, said is null);
        Assert.Contains(expected ?? "", said ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rules_of_both_are_told_and_rules_of_one_are_not()
    {
        Assert.Contains("iptables-legacy (2) and of iptables-nft (1)", await IptablesBackends.MixedAsync(Machine("nf_tables", "filter", Rule + Rule, Rule), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Null(await IptablesBackends.MixedAsync(Machine("nf_tables", "filter", Rule, None), TestContext.Current.CancellationToken));
        Assert.Null(await IptablesBackends.MixedAsync(new RuleCommand("no-such-program"), TestContext.Current.CancellationToken));
    }
}
