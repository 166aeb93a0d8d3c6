using Hardway.Proxy.Iptables;

namespace Hardway.Proxy.Tests;

public sealed class IptablesPacketTests() : RulePacketTests(command => new IptablesTable(Options, command))
{
    internal static IptablesOptions Options => new() { IfLocal = "-s 10.200.0.0/16", IfNotLocal = "! -s 10.200.0.0/16" };

    private protected override string Dump() =>
        string.Join('\n', Net.Node.Exec("iptables-save").Split('\n').Where(l => !l.StartsWith('#') && !l.StartsWith(':')).Order(StringComparer.Ordinal));
}
