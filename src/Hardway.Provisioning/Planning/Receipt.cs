using System.Text;
using Hardway.Provisioning.Cluster;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Ssh;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Planning;

/// <summary>What changed on one machine ("jumpbox" is this computer, "cluster" the objects in the API): as planned, and what else the machine itself knows to be new.</summary>
public sealed record MachineReceipt(string Machine, IReadOnlyList<StepItem> Changes, IReadOnlyList<string> Unplanned);

/// <summary>
/// The proof of a run: the changes that its checks foretold, and for each machine the files that really changed since the run first looked at it, found by
/// their ctime. Whatever is new and was not foretold is listed.
/// </summary>
public sealed record Receipt(IReadOnlyList<MachineReceipt> Machines)
{
    /// <summary>Where configuration and programs are. What programs write while they run (data, logs) is elsewhere.</summary>
    private const string _places = "/etc /usr/local /usr/bin /usr/sbin /usr/lib/systemd /usr/lib/cni /var/lib/kubernetes /var/lib/kube-proxy";

    public bool Exact => Machines.All(m => m.Unplanned.Count == 0);

    internal static async Task<Receipt> TakeAsync(ClusterModel cluster, StepReport report, CancellationToken cancellation)
    {
        var done = report.Results.Where(r => r.State == StepState.Changed).ToList();
        var machines = await Task.WhenAll(cluster.Machines.Machines.Select(m => TakeAsync(cluster, m, done, cancellation))).ConfigureAwait(false);
        var elsewhere = done.Where(r => r.Machine.Length == 0).SelectMany(r => r.Changes).ToLookup(c => c.Kind == "object" ? "cluster" : "jumpbox");
        var receipt = new Receipt([.. elsewhere.Select(e => new MachineReceipt(e.Key, [.. e], [])), .. machines]);
        PrivateFile.Write(cluster.Files.Receipt, receipt.Text());
        return receipt;
    }

    public string Text()
    {
        var text = new StringBuilder();
        foreach (var machine in Machines)
        {
            text.Append(machine.Machine).Append(": ").Append(machine.Changes.Count == 0 ? "nothing changed" : $"{machine.Changes.Count} changed").Append('\n');
            foreach (var change in machine.Changes)
            {
                text.Append("  ").Append(change).Append('\n');
            }

            foreach (var path in machine.Unplanned)
            {
                text.Append("  NOT PLANNED: ").Append(path).Append('\n');
            }
        }

        return text.ToString();
    }

    private static async Task<MachineReceipt> TakeAsync(ClusterModel cluster, Machine machine, List<StepResult> done, CancellationToken cancellation)
    {
        var results = done.Where(r => r.Machine == machine.HostName).ToList();
        List<StepItem> changes = [.. results.SelectMany(r => r.Changes)];
        if (cluster.SurveyOf(machine).Began is not { } began)
        {
            return new MachineReceipt(machine.HostName, changes, []);
        }

        var found = await cluster.SshTo(machine).RunAsync(
            "receipt", $"find {_places} -xdev -newerct {SshMachine.Quote("@" + began)} ! -type d -print 2>/dev/null || true", cancellation).ConfigureAwait(false);
        var planned = Planned(changes, cluster.SurveyOf(machine).SettingsOf(results.Select(r => r.Step)));
        return new MachineReceipt(machine.HostName, changes, [.. found.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(p => !planned(p))]);
    }

    private static Func<string, bool> Planned(List<StepItem> changes, IEnumerable<string> touched)
    {
        var files = changes.Where(c => c.Kind == "file").Select(c => c.Name).ToHashSet();
        var units = changes.Where(c => c.Kind == "unit").Select(c => c.Name).ToHashSet();
        var places = touched.ToList();
        return path => files.Contains(path)
            || places.Any(p => p.EndsWith('/') ? path.StartsWith(p, StringComparison.Ordinal) : path == p)
            // `systemctl enable` makes links named as the unit, and where there is an old init script of that name, links to that.
            || (path.StartsWith("/etc/rc", StringComparison.Ordinal) && path.Split('/') is [_, _, _, ['S' or 'K', _, _, .. var script]] && units.Contains(script + ".service"))
            || (path.StartsWith("/etc/systemd/system/", StringComparison.Ordinal) && units.Contains(path[(path.LastIndexOf('/') + 1)..]));
    }
}
