using Hardway.Provisioning.Cluster;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Compute;

/// <summary>Keeps the host lookup table in the jumpbox's own /etc/hosts, so that kubectl finds the API by its name. Undone by <c>down</c>.</summary>
internal sealed class JumpboxHostsStep(ClusterModel cluster) : Step("jumpbox-hosts", "")
{
    private const UnixFileMode _readable = PrivateFile.OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private string HostsFile => cluster.Options.HostsFile;

    public override string Explain => $"Writes the machines' names between \"{HostTable.Begin}\" and \"{HostTable.End}\" into {HostsFile} of this computer.";

    public override string Expected => $"this computer's {HostsFile} has the block once, with every machine";

    public override IReadOnlyList<StepItem> Contents => [new("file", HostsFile, $"the lines between \"{HostTable.Begin}\" and \"{HostTable.End}\", on the jumpbox")];

    public override Task<StepCheck> CheckAsync(StepContext context, CancellationToken cancellation)
    {
        var hosts = Read(HostsFile);
        return Task.FromResult(hosts == HostTable.Merge(hosts, HostTable.Render(cluster.Machines))
            ? StepCheck.Good
            : StepCheck.Missing($"{HostsFile} lacks the machines", Contents));
    }

    public override async Task<string> VerifyAsync(StepContext context, CancellationToken cancellation)
    {
        var check = await CheckAsync(context, cancellation).ConfigureAwait(false);
        return check.InPlace ? $"{HostsFile} has {cluster.Machines.Machines.Count} machines" : throw new Hosting.ComponentException(check.Reason);
    }

    public override Task ApplyAsync(StepContext context, CancellationToken cancellation)
    {
        Change(HostsFile, HostTable.Render(cluster.Machines));
        return Task.CompletedTask;
    }

    public override Task UndoAsync(StepContext context, CancellationToken cancellation)
    {
        Remove(HostsFile);
        return Task.CompletedTask;
    }

    internal static void Remove(string path)
    {
        if (Read(path).Contains(HostTable.Begin, StringComparison.Ordinal))
        {
            Change(path, null);
        }
    }

    private static void Change(string path, string? block)
    {
        var text = HostTable.Merge(Read(path), block);
        try
        {
            PrivateFile.Write(path, text, _readable);
        }
        catch (IOException)
        {
            // In a container /etc/hosts is a mount of its own and cannot be replaced, only written.
            File.Delete(path + ".hardway-new");
            File.WriteAllText(path, text);
        }
    }

    private static string Read(string path) => File.Exists(path) ? File.ReadAllText(path) : "";
}
