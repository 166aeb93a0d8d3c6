using System.Security.Cryptography;
using System.Text;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Remote;

/// <summary>A condition on a machine that is not a file or a unit: a bash test that says whether it is so, and bash commands that make it so.</summary>
/// <summary><see cref="Touches"/>: files that Apply writes; a folder ("/") at the end means anything below.</summary>
internal sealed record RemoteSetting(string Name, string Test, string Apply, params IReadOnlyList<string> Touches);

/// <summary>
/// What one step wants of one machine: folders, files, settings, and units that are enabled and run with just these files. Nothing here says
/// how to get there; <see cref="CheckScript"/> and <see cref="ApplyScript"/> do.
/// </summary>
internal sealed class MachineState
{
    public List<(string Path, string Mode, string Owner)> Folders { get; } = [];

    public List<RemoteFile> Files { get; } = [];

    public List<RemoteSetting> Settings { get; } = [];

    /// <summary>systemd units to enable and run; started again when one of the files or <see cref="RestartKey"/> has changed since they started.</summary>
    public List<string> Units { get; } = [];

    /// <summary>Those of the units that read their files again without an end to what they do (systemctl reload).</summary>
    public HashSet<string> Reloads { get; } = [];

    /// <summary>Something outside the files that a restart must follow: the program's hash.</summary>
    public string RestartKey { get; set; } = "";

    /// <summary>A name for all that the units were started with.</summary>
    public string Fingerprint
    {
        get
        {
            var text = new StringBuilder(RestartKey);
            foreach (var file in Files)
            {
                text.Append('\n').Append(file.Path).Append(' ').Append(file.Hash).Append(' ').Append(file.ModeText).Append(' ').Append(file.Owner);
            }

            return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())))[..32];
        }
    }

    public MachineState Folder(string path, string mode = "755", string owner = "root:root")
    {
        Folders.Add((path, mode, owner));
        return this;
    }

    public MachineState File(string path, string text, string mode = "644", string owner = "root:root")
    {
        Files.Add(RemoteFile.Text(path, text, mode, owner));
        return this;
    }

    /// <summary>Everything of it, for a person.</summary>
    public IReadOnlyList<StepItem> Items =>
    [
        .. Folders.Select(f => new StepItem("folder", f.Path, $"{f.Mode} {f.Owner}")),
        .. Files.Select(f => f.Item("")),
        .. Settings.Select(s => new StepItem("setting", s.Name, s.Apply)),
        .. Units.Select(u => new StepItem("unit", u, "enabled and running")),
    ];

    public MachineState Setting(string name, string test, string apply, params IReadOnlyList<string> touches)
    {
        Settings.Add(new RemoteSetting(name, test, apply, touches));
        return this;
    }

    public MachineState Unit(string name, string? content = null, bool reloads = false)
    {
        if (reloads)
        {
            Reloads.Add(name);
        }

        if (content is not null)
        {
            File($"/etc/systemd/system/{name}", content);
        }

        Units.Add(name);
        return this;
    }
}
