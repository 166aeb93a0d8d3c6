using Hardway.Pki;
using Hardway.Provisioning.Api;
using Hardway.Provisioning.Cluster;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Remote;
using Hardway.Provisioning.Ssh;

namespace Hardway.Provisioning.Faults;

/// <summary>What faults do things with: scripts on machines, files that are kept there and put back, certificates, the API.</summary>
internal sealed class FaultContext(ClusterModel cluster) : IDisposable
{
    private const string _step = "break";
    private readonly Lazy<ApiConnection> _api = new(() => new ApiConnection(cluster));

    public ClusterModel Cluster => cluster;

    public ApiConnection Api => _api.Value;

    public Task<CommandResult> RunAsync(Machine machine, string script, CancellationToken cancellation)
        => cluster.SshTo(machine).RunAsync(_step, "set -eu\nexport LC_ALL=C\n" + script, cancellation);

    /// <summary>Copies files aside, with mode and owner; of one that is not there, that it was not. What was kept before stays: the first copy is the good one.</summary>
    public Task KeepAsync(Fault fault, Machine machine, IReadOnlyList<string> files, CancellationToken cancellation)
        => files.Count == 0 ? Task.CompletedTask : RunAsync(
            machine,
            $$"""
            umask 077; mkdir -p {{Folder(fault)}}; cd {{Folder(fault)}}
            for f in {{string.Join(' ', files.Select(SshMachine.Quote))}}; do
              [ -e ".$f" ] || [ -e ".$f.absent" ] && continue
              mkdir -p ".${f%/*}"
              if [ -e "$f" ]; then cp -a "$f" ".$f"; else : >".$f.absent"; fi
            done
            """,
            cancellation);

    public Task RestoreAsync(Fault fault, Machine machine, CancellationToken cancellation) => RunAsync(
        machine,
        $$"""
        [ -d {{Folder(fault)}} ] || exit 0
        cd {{Folder(fault)}}
        find . -type f | while IFS= read -r f; do
          case $f in
            *.absent) rm -f "${f#.}"; f=${f%.absent}; rm -f "${f#.}" ;;
            *) cp -a "$f" "${f#.}" ;;
          esac
        done
        cd /; rm -rf {{Folder(fault)}}; rmdir --ignore-fail-on-non-empty {{_folder}} /var/lib/hardway 2>/dev/null || true
        """,
        cancellation);

    public async Task WriteAsync(Machine machine, IReadOnlyList<(string Path, string Text, string Mode)> files, CancellationToken cancellation)
    {
        var remote = files.Select(f => RemoteFile.Text(f.Path, f.Text, f.Mode)).ToList();
        if (remote.Count > 0)
        {
            var moves = string.Join('\n', remote.Select(f => $"mv -fT -- {SshMachine.Quote(f.Temporary)} {SshMachine.Quote(f.Path)}"));
            await cluster.SshTo(machine).RunAsync(
                _step, "set -eu\ntar -x -p --no-same-owner -C / -f -\n" + moves, cancellation, (stream, token) => ApplyScript.WriteTarAsync(remote, stream, token)).ConfigureAwait(false);
        }
    }

    /// <summary>A certificate of this cluster, made again with something else in it, by its own authority or another of the same name.</summary>
    public static CertificateFiles Issue(ClusterModel cluster, string name, Func<CertificateSpec, CertificateSpec> change, bool strangeAuthority = false)
    {
        var wanted = ClusterCertificates.Of(cluster.Machines).Single(c => c.Name == name);
        using var authority = strangeAuthority
            ? CertificateAuthority.Create(ClusterCertificates.Authorities.Single(a => a.Name == wanted.Authority).CommonName)
            : CertificateAuthority.LoadFiles(cluster.Files.Certificate(wanted.Authority), cluster.Files.Key(wanted.Authority));
        return authority.Issue(change(wanted.Spec));
    }

    public void Dispose()
    {
        if (_api.IsValueCreated)
        {
            _api.Value.Dispose();
        }
    }

    private const string _folder = "/var/lib/hardway/faults";

    private static string Folder(Fault fault) => $"{_folder}/{fault.Name}";
}
