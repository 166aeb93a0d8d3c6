using System.CommandLine;
using Hardway.Lab.CommandLine;

namespace Hardway.Lab.Tests;

public class HelpTests
{
    [Fact]
    public void Every_command_has_examples_that_parse_and_takes_output_json()
    {
        var root = JumpboxCommands.Root(new JumpboxSession(new LabPaths("/nowhere"), TimeProvider.System));
        var commands = All(root).ToList();

        Assert.True(commands.Count > 25);
        Assert.All(commands, c => Assert.NotNull(HelpWithExamples.Of(c)));
        Assert.All(commands.Where(c => c.Subcommands.Count == 0 && c.Arguments.All(a => a.Arity.MinimumNumberOfValues == 0)), c =>
            Assert.Empty(root.Parse([.. Path(c), "--output", "json"]).Errors));
        // What stands behind two blanks is said of the line; ssh and kubectl are other programs' command lines.
        var lines = HelpWithExamples.Examples.Where(e => e.Key is not ("ssh" or "kubectl" or "completion")).SelectMany(e => e.Value).SelectMany(l => l.Split("  ")[0].Split(';'));
        Assert.All(lines, line => Assert.True(root.Parse(line.Trim().Split(' ')[1..]).Errors.Count == 0, line));
    }

    [Theory]
    [InlineData("bash", "complete -o default -F _hardway")]
    [InlineData("zsh", "compdef _hardway")]
    [InlineData("fish", "complete -c hardway")]
    public void Completion_is_a_script_also_as_json(string shell, string expected)
    {
        var text = new StringWriter();
        CompletionCommand.Run(shell, OutputFormat.Text, text);
        Assert.Contains(expected, text.ToString(), StringComparison.Ordinal);

        var json = new StringWriter();
        CompletionCommand.Run(shell, OutputFormat.Json, json);
        Assert.Equal(text.ToString().TrimEnd(), System.Text.Json.JsonDocument.Parse(json.ToString()).RootElement.GetProperty("script").GetString()!.TrimEnd());
    }

    [Fact]
    public void Help_ends_with_examples_and_exit_codes()
    {
        var output = new StringWriter();
        JumpboxCommands.Root(new JumpboxSession(new LabPaths("/nowhere"), TimeProvider.System)).Parse(["node", "add", "--help"]).Invoke(new InvocationConfiguration { Output = output });

        Assert.Contains("hardway node add node-2", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("Exit codes: 0 done", output.ToString(), StringComparison.Ordinal);
    }

    private static IEnumerable<Command> All(Command command) => command.Subcommands.SelectMany(All).Prepend(command);

    private static IEnumerable<string> Path(Command command) => command.Parents.OfType<Command>().FirstOrDefault() is { } parent ? Path(parent).Append(command.Name) : [];
}
