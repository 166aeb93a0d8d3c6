using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Ssh;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Remote;

/// <summary>A step whose result is a <see cref="MachineState"/>: checked by the machine's survey, applied by one script with one stream of files.</summary>
internal abstract class RemoteStep : Step
{
    private readonly Lazy<MachineState> _state;
    private readonly MachineSurvey _survey;
    private readonly Transcript _transcript;
    private MachineDifference? _difference;

    // The survey of a machine reads the files of all its steps at once, so all of them must be there before its first step.
    protected RemoteStep(string name, ClusterModel cluster, Machine machine, params IReadOnlyList<string> dependsOn)
        : base(name, machine.HostName, ["ssh-key", "configuration", .. dependsOn])
    {
        Cluster = cluster;
        Target = machine;
        _survey = cluster.SurveyOf(machine);
        _transcript = cluster.Transcript;
        _state = new Lazy<MachineState>(() =>
        {
            var state = new MachineState();
            Describe(state);
            return state;
        });
        _survey.Add(this);
    }

    public MachineState State => _state.Value;

    public override string Expected => "the machine has every file, folder, setting and running unit of this step";

    public override IReadOnlyList<StepItem> Contents => State.Items;

    /// <summary>What the check found missing.</summary>
    protected MachineDifference Difference => _difference ?? throw new InvalidOperationException("Check comes before Apply");

    protected ClusterModel Cluster { get; }

    protected Machine Target { get; }

    protected SshMachine Ssh => _survey.Ssh;

    public override async Task<StepCheck> CheckAsync(StepContext context, CancellationToken cancellation)
    {
        _difference = await _survey.OfAsync(this, cancellation).ConfigureAwait(false);
        return _difference.None ? StepCheck.Good : StepCheck.Missing(_difference.Summary, _difference.Items(State));
    }

    /// <summary>Unless a step looks from the other side itself: the machine is asked again, and must lack nothing.</summary>
    public override async Task<string> VerifyAsync(StepContext context, CancellationToken cancellation)
    {
        if (_difference is { None: true })
        {
            return "everything was in place";
        }

        var states = new[] { (Name, State) };
        return await context.WaitAsync(
            $"{Name} on {Machine}",
            async token =>
            {
                var answer = await Ssh.RunAsync(Name, CheckScript.Render(states), token).ConfigureAwait(false);
                var left = CheckScript.Read(states, answer.Output)[Name];
                return left.None ? null : left.Summary;
            },
            TimeSpan.FromSeconds(30),
            null,
            cancellation).ConfigureAwait(false);
    }

    public override async Task ApplyAsync(StepContext context, CancellationToken cancellation)
    {
        var difference = Difference;
        foreach (var file in difference.Files)
        {
            if (file.Source is not null)
            {
                context.Report($"uploading {file.Path}");
                await UploadAsync(file, cancellation).ConfigureAwait(false);
            }

            _transcript.File(Name, Machine, file.Path, file.ModeText, file.Hash, file.Content, file.Secret);
        }

        var small = difference.Files.Where(f => f.Source is null).ToList();
        await Ssh.RunAsync(
            Name,
            ApplyScript.Render(Name, State, difference),
            cancellation,
            small.Count > 0 ? (stream, token) => ApplyScript.WriteTarAsync(small, stream, token) : null,
            ApplyLimit).ConfigureAwait(false);
    }

    public override Task UndoAsync(StepContext context, CancellationToken cancellation)
        => Ssh.RunAsync(Name, UndoScript.Render(Name, State), cancellation);

    protected virtual TimeSpan ApplyLimit => TimeSpan.FromSeconds(90);

    protected abstract void Describe(MachineState state);

    /// <summary>What a stopped or failing unit says about itself, in one line.</summary>
    protected async Task<string> CauseAsync(string unit, CancellationToken cancellation)
    {
        var result = await Ssh.RunAsync(
            Name,
            $"systemctl show -p ActiveState,SubState,Result,ExecMainStatus --value {unit} | tr '\\n' ' '; journalctl -q -u {unit} -n 3 -o cat --no-pager | tr '\\n' ' ' | cut -c1-400",
            cancellation,
            mayFail: true).ConfigureAwait(false);
        return $"{unit} on {Machine}: {result.Output.Trim()}";
    }

    private async Task UploadAsync(RemoteFile file, CancellationToken cancellation)
    {
        var temporary = SshMachine.Quote(file.Temporary);
        var folder = SshMachine.Quote(file.Path[..file.Path.LastIndexOf('/')]);
        await Ssh.RunAsync(
            Name,
            $"set -eu; umask 077; mkdir -p {folder}; cat >{temporary}; chmod {file.ModeText} {temporary}; chown {file.Owner} {temporary}; mv -fT -- {temporary} {SshMachine.Quote(file.Path)}",
            cancellation,
            async (stream, token) =>
            {
                var source = File.OpenRead(file.Source!);
                await using (source.ConfigureAwait(false))
                {
                    await source.CopyToAsync(stream, 1 << 20, token).ConfigureAwait(false);
                }
            },
            TimeSpan.FromMinutes(5)).ConfigureAwait(false);
    }
}
