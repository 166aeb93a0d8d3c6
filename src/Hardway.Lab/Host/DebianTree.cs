using Hardway.Hosting;

namespace Hardway.Lab.Host;

/// <summary>
/// Makes a folder tree of Debian packages with mmdebstrap, atomically: into a folder beside the wanted one, customised there, then renamed, so a tree that
/// exists is complete. What an interrupted run left is removed by the next.
/// </summary>
internal sealed class DebianTree(Action<string> say)
{
    public const string Release = "bookworm";

    public async Task MakeAsync(string path, string variant, IReadOnlyList<string> packages, Func<string, CancellationToken, Task> customise, CancellationToken cancellation)
    {
        var parent = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(parent);
        foreach (var left in Directory.GetDirectories(parent, ".building-*")) await RemoveAsync(left, cancellation);
        var building = Path.Combine(parent, ".building-" + Path.GetFileName(path));
        var sources = Path.Combine(parent, ".sources-" + Path.GetFileName(path));
        Directory.CreateDirectory(sources);
        try
        {
            await BootstrapAsync(building, sources, variant, packages, cancellation);
            await customise(building, cancellation);
            Directory.Move(building, path);
        }
        catch
        {
            if (Directory.Exists(building)) await RemoveAsync(building, CancellationToken.None);
            throw;
        }
        finally
        {
            Directory.Delete(sources, recursive: true);
        }
    }

    private async Task BootstrapAsync(string tree, string sources, string variant, IReadOnlyList<string> packages, CancellationToken cancellation)
    {
        List<string> arguments =
        [
            "--mode=root", "--format=directory", "--variant=" + variant, "--include=" + string.Join(',', packages),
            "--dpkgopt=force-unsafe-io", "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/doc/*",
            "--dpkgopt=path-exclude=/usr/share/locale/*", "--aptopt=Acquire::Languages \"none\";",
        ];
        if (HostCommand.Find("apt-config") is not null)
            arguments.AddRange(AptSources.FetchOptions(await HostCommand.RunAsync("apt-config", ["dump"], cancellation)).Select(o => "--aptopt=" + o));
        arguments.AddRange([Release, tree]);
        var entries = AptSources.Select(AptSources.ReadHost(), Release);
        for (var i = 0; i < entries.Count; i++)
        {
            if (!entries[i].Contains('\n', StringComparison.Ordinal)) { arguments.Add(entries[i]); continue; }
            var file = Path.Combine(sources, $"{i}.sources");
            await File.WriteAllTextAsync(file, entries[i] + "\n", cancellation);
            arguments.Add(file);
        }
        var result = await HostCommand.TryAsync("mmdebstrap", arguments, cancellation, onErrorLine: line =>
        {
            if (line.StartsWith("I: ", StringComparison.Ordinal)) say(line[3..]);
        });
        if (result.ExitCode == 0) return;
        var errors = result.Error.Split('\n').Where(l => l.StartsWith("E: ", StringComparison.Ordinal) || l.StartsWith("Err:", StringComparison.Ordinal)).Take(3);
        throw new ComponentException($"mmdebstrap could not make a Debian {Release} tree: {string.Join("; ", errors.DefaultIfEmpty(result.Reason))}. Do this host's apt sources work (apt-get update)?");
    }

    private static Task RemoveAsync(string tree, CancellationToken cancellation) =>
        HostCommand.RunAsync("rm", ["-rf", "--one-file-system", tree], cancellation);
}
