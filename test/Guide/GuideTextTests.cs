namespace Hardway.Guide;

public sealed class GuideTextTests
{
    private const string Text = """
        # Title

        **On jumpbox:**

        ```sh
        date
        ```

        **On server-0, server-1:**
        ```sh
        hostname
        ```
        ```text
        server-<number>
        ```

        ```diagram
        a --> b
        ```
        """;

    [Fact]
    public void Blocks_have_their_machines_and_their_output()
    {
        var blocks = GuideText.Read("01.md", Text);

        Assert.Equal(["01.md:5", "01.md:10"], blocks.Select(b => b.ToString()));
        Assert.Equal([["jumpbox"], ["server-0", "server-1"]], blocks.Select(b => b.Machines));
        Assert.Equal(["date", "hostname"], blocks.Select(b => b.Script));
        Assert.Equal(["", "server-<number>"], blocks.Select(b => b.Expected));
    }

    [Theory]
    [InlineData("Do this:\n```sh\ndate\n```", "2: commands without")]
    [InlineData("**On jumpbox:**\n```sh\ndate\n```\nIt says:\n```text\nnow\n```", "6: an output that belongs to no commands")]
    [InlineData("**On jumpbox:**\n```bash\ndate\n```", "2: a fence 'bash'")]
    [InlineData("**On jumpbox:**\n```sh\ndate", "2: the fence has no end")]
    [InlineData("**On jumpbox:**\n```sh\ndate\n```\n```text\n1\n```\n```text\n2\n```", "8: an output that belongs to no commands")]
    public void Nothing_that_looks_like_a_command_or_an_output_is_passed_over(string text, string message)
        => Assert.Contains(message, Assert.Throws<FormatException>(() => GuideText.Read("01.md", text)).Message, StringComparison.Ordinal);
}
