using Hardway.ApiServer.Serving;

namespace Hardway.ApiServer.Tests.Serving;

/// <summary>kube-apiserver alone: what its command line leaves out is made, once.</summary>
public sealed class StandaloneTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("standalone").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Certificates_keys_and_a_kubeconfig_are_made_once_and_only_their_owner_reads_the_secret_ones()
    {
        var alone = Standalone.Of([$"--data-dir={_directory}"], TimeProvider.System)!;
        var first = alone.Complete([$"--data-dir={_directory}", "--secure-port", "7443"]);
        var authority = File.ReadAllText(Path.Combine(_directory, "pki", "ca.crt"));
        Assert.Equal(first, alone.Complete([$"--data-dir={_directory}", "--secure-port", "7443"]));
        Assert.Equal(authority, File.ReadAllText(Path.Combine(_directory, "pki", "ca.crt")));
        Assert.Contains($"--client-ca-file={Path.Combine(_directory, "pki", "ca.crt")}", first);
        Assert.Contains("--authorization-mode=Node,RBAC", first);
        Assert.Contains("server: https://127.0.0.1:7443", File.ReadAllText(alone.Kubeconfig), StringComparison.Ordinal);
        foreach (var secret in (string[])["ca.key", "apiserver.key", "sa.key", "admin.key", "admin.kubeconfig"])
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_directory, "pki", secret)));
        }
    }

    [Fact]
    public void What_the_command_line_gives_is_left_as_it_is()
    {
        var alone = Standalone.Of([$"--data-dir={_directory}"], TimeProvider.System)!;
        var args = alone.Complete([$"--data-dir={_directory}", "--authorization-mode=AlwaysAllow", "--tls-cert-file=/x", "--tls-private-key-file=/y"]);
        Assert.DoesNotContain(args, a => a.Contains("RBAC", StringComparison.Ordinal) || a.Contains("apiserver.crt", StringComparison.Ordinal));
        Assert.Null(Standalone.Of(["--etcd-servers", "http://127.0.0.1:2379"], TimeProvider.System));
        Assert.Null(Standalone.Of(["--help"], TimeProvider.System));
    }
}
