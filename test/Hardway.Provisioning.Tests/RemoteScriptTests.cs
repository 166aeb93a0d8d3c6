using Hardway.Provisioning.Remote;
using Hardway.Provisioning.Ssh;

namespace Hardway.Provisioning.Tests;

/// <summary>The scripts as bash runs them, on this machine, in a folder of their own.</summary>
public sealed class RemoteScriptTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("hardway-remote").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task A_state_is_missing_then_applied_then_in_place()
    {
        var state = State();
        var before = await CheckAsync(state);
        Assert.Equal(2, before.Files.Count);
        Assert.Single(before.Folders);
        Assert.Single(before.Settings);

        await ApplyAsync(state, before);

        var after = await CheckAsync(state);
        Assert.True(after.None, after.Summary);
        Assert.Equal("it's \"here\"\n", File.ReadAllText($"{_root}/etc/it's a file"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode($"{_root}/etc/key"));
        Assert.Empty(Directory.GetFiles($"{_root}/etc", "*.hardway-new"));
    }

    [Fact]
    public async Task Only_what_differs_is_brought_again()
    {
        var state = State();
        await ApplyAsync(state, await CheckAsync(state));
        File.WriteAllText($"{_root}/etc/key", "other");

        var difference = await CheckAsync(state);

        Assert.Equal([$"{_root}/etc/key"], difference.Files.Select(f => f.Path));
        Assert.Empty(difference.Settings);
        File.WriteAllText($"{_root}/etc/key", "secret");
        File.SetUnixFileMode($"{_root}/etc/key", UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Assert.Single((await CheckAsync(state)).Files);
    }

    [Fact]
    public async Task What_was_applied_can_be_taken_away_again()
    {
        var state = State();
        await ApplyAsync(state, await CheckAsync(state));

        var result = await RunAsync(UndoScript.Render("x", state), null);

        Assert.True(result.Succeeded, result.Error);
        Assert.Empty(Directory.GetFiles($"{_root}/etc"));
        Assert.False(Directory.Exists($"{_root}/var"));
    }

    [Fact]
    public void Units_are_stale_when_they_started_with_other_files_and_fresh_after_a_boot()
    {
        var state = new MachineState().Unit("etcd.service", "[Service]\n");
        string Answer(string stamp) => $"h {state.Files[0].Hash}  {state.Files[0].Path}\nm 644 root:root {state.Files[0].Path}\nu etcd.service active enabled\n{stamp}end\n";
        MachineDifference Read(string stamp) => CheckScript.Read([("etcd", state)], Answer(stamp))["etcd"];

        Assert.True(Read("s etcd \n").None);
        Assert.True(Read($"s etcd {state.Fingerprint}\n").None);
        Assert.True(Read("s etcd stale\n").Stale);
        Assert.Contains("running with older files", Read("s etcd stale\n").Summary, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stopped_or_disabled_unit_is_started_and_enabled_without_touching_files()
    {
        var state = new MachineState().Unit("a.service").Unit("b.service");
        var difference = CheckScript.Read([("x", state)], "u a.service active enabled\nu b.service failed disabled\nend\n")["x"];
        var script = ApplyScript.Render("x", state, difference);

        Assert.Contains("systemctl restart --no-block 'b.service'\n", script, StringComparison.Ordinal);
        Assert.Contains("systemctl enable --quiet --no-reload 'b.service'\n", script, StringComparison.Ordinal);
        Assert.DoesNotContain("tar -x", script, StringComparison.Ordinal);
    }

    [Fact]
    public void An_answer_that_is_cut_short_is_not_believed()
        => Assert.Throws<Hosting.ComponentException>(() => CheckScript.Read([("x", new MachineState())], "h abc /etc/x\n"));

    [Fact]
    public async Task A_quoted_word_reaches_bash_as_it_is()
    {
        const string Word = "it's $HOME `x` \"y\" \\ \n z";
        var result = await RunAsync("printf %s " + SshMachine.Quote(Word), null);
        Assert.Equal(Word, result.Output);
    }

    [Fact]
    public async Task A_command_that_does_not_end_is_killed_at_its_limit()
    {
        var result = await LocalProcess.RunAsync("bash", ["-c", "echo started; sleep 60"], null, TimeSpan.FromMilliseconds(300), TestContext.Current.CancellationToken);
        Assert.True(result.TimedOut);
        Assert.False(result.Succeeded);
    }

    [Fact]
    public async Task Output_is_cut_at_its_limit()
    {
        var result = await LocalProcess.RunAsync("bash", ["-c", "yes | head -c 1000000"], null, TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken, outputLimit: 100);
        Assert.Equal(100, result.Output.Length);
        Assert.Equal(0, result.ExitCode);
    }

    private static async Task<CommandResult> RunAsync(string script, Func<Stream, CancellationToken, Task>? input)
        => await LocalProcess.RunAsync("bash", ["-c", script], input, TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

    private MachineState State() => new MachineState()
        .Folder($"{_root}/var", "700")
        .File($"{_root}/etc/it's a file", "it's \"here\"\n")
        .File($"{_root}/etc/key", "secret", "600")
        .Setting("a flag", $"[ -e {_root}/flag ]", $"touch {_root}/flag");

    private async Task<MachineDifference> CheckAsync(MachineState state)
    {
        var result = await RunAsync(CheckScript.Render([("x", state)]), null);
        Assert.Equal("", result.Error);
        return CheckScript.Read([("x", state)], result.Output)["x"];
    }

    private static async Task ApplyAsync(MachineState state, MachineDifference difference)
    {
        var result = await RunAsync(ApplyScript.Render("x", state, difference), (s, t) => ApplyScript.WriteTarAsync(difference.Files, s, t));
        Assert.True(result.Succeeded, result.Error);
    }
}
