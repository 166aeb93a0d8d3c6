using Hardway.Kubelet.Containers;

namespace Hardway.Kubelet.Tests.Containers;

public sealed class EnvExpansionTests
{
    [Theory]
    [InlineData("$(A)-$(B)", "1-2")]
    [InlineData("$$(A)", "$(A)")]
    [InlineData("$(MISSING)", "$(MISSING)")]
    [InlineData("$(A", "$(A")]
    [InlineData("$", "$")]
    [InlineData("a$b", "a$b")]
    [InlineData("$$$(A)", "$1")]
    [InlineData("", "")]
    public void References_are_expanded(string text, string expected) =>
        Assert.Equal(expected, EnvExpansion.Expand(text, new Dictionary<string, string> { ["A"] = "1", ["B"] = "2" }));
}
