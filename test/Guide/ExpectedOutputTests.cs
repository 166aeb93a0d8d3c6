namespace Hardway.Guide;

public sealed class ExpectedOutputTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("active", "active\n")]
    [InlineData("NAME   AGE\nweb    ...", "NAME    AGE\nweb  3s   \n")]
    [InlineData("node-0 <pid> running", "node-0 4711 running")]
    [InlineData("first\n...\nlast", "first\nlast")]
    [InlineData("first\n...\nlast", "first\n2\n3\nlast")]
    [InlineData("held by server-<number>_<id>", "held by server-2_8f1c")]
    public void What_the_text_leaves_open_may_vary(string expected, string seen) => Assert.Null(ExpectedOutput.Compare(expected, seen));

    [Theory]
    [InlineData("", "a warning")]
    [InlineData("active", "inactive")]
    [InlineData("active", "active\nand more")]
    [InlineData("active\n...", "inactive\nactive")]
    [InlineData("node-0 <pid> running", "node-0 running")]
    [InlineData("a.c", "abc")]
    [InlineData("first\nlast", "first\n2\nlast")]
    [InlineData("3 members", "")]
    public void Everything_else_must_be_as_it_says(string expected, string seen) => Assert.Contains("the guide says", ExpectedOutput.Compare(expected, seen), StringComparison.Ordinal);
}
