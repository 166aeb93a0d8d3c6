using Hardway.Lab.Host;

namespace Hardway.Lab.Images;

/// <summary>An image by what goes into it. <see cref="Version"/> is part of its key: raise it when <see cref="Build"/> changes.</summary>
internal sealed record ImageRecipe(string Name, IReadOnlyList<string> References, int Version, ImageConfig Config, Func<ImageSources, CancellationToken, Task<ImageLayer>> Build);

/// <summary>Where images are made from: a tree of unpacked Debian packages, and our own program.</summary>
internal sealed record ImageSources(string Packages, string Program);

/// <summary>The images of a cluster without a registry.</summary>
internal static class ImageRecipes
{
    /// <summary>What is unpacked for them (with all they depend on).</summary>
    public static readonly IReadOnlyList<string> Packages = ["catatonit", "busybox", "nginx", "libssl3", "libstdc++6", "libgcc-s1"];

    public static readonly IReadOnlyList<ImageRecipe> All =
    [
        new("pause", ["registry.k8s.io/pause:3.10"], 1, new ImageConfig { Entrypoint = ["/pause", "-P"], User = "65535:65535" },
            (from, _) => Task.FromResult(new ImageLayer().AddFile("/pause", Path.Combine(from.Packages, "usr/bin/catatonit")))),
        new("busybox", ["docker.io/library/busybox:1.36", "docker.io/library/busybox:latest"], 2, new ImageConfig { Command = ["sh"] }, BusyboxAsync),
        new("nginx", ["docker.io/library/nginx:1.22", "docker.io/library/nginx:latest"], 2,
            new ImageConfig { Command = ["nginx", "-g", "daemon off;"], ExposedPort = "80/tcp", StopSignal = "SIGQUIT" }, NginxAsync),
        new("hardway", ["hardway.local/hardway:v1"], 1, new ImageConfig { Entrypoint = ["/usr/local/bin/hardway"] }, HardwayAsync),
    ];

    private const string Users = "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
    private const string Groups = "root:x:0:\ntty:x:5:\nwww-data:x:33:\nnogroup:x:65534:\n";

    /// <summary>The page is the package's; logs go where `kubectl logs` finds them.</summary>
    private const string NginxConfiguration = """
        user www-data;
        worker_processes 1;
        pid /run/nginx.pid;
        error_log /dev/stderr notice;
        events { worker_connections 1024; }
        http {
            include /etc/nginx/mime.types;
            default_type application/octet-stream;
            access_log /dev/stdout;
            sendfile on;
            include /etc/nginx/conf.d/*.conf;
        }

        """;

    private const string NginxSite = """
        server {
            listen 80;
            listen [::]:80;
            location / {
                root /usr/share/nginx/html;
                index index.html;
            }
        }

        """;

    private static async Task<ImageLayer> BusyboxAsync(ImageSources from, CancellationToken cancellation)
    {
        var layer = Root();
        await AddBusyboxAsync(layer, from, cancellation);
        return layer.AddFolder("/etc").AddFolder("/var").AddFolder("/home");
    }

    private static async Task<ImageLayer> NginxAsync(ImageSources from, CancellationToken cancellation)
    {
        // Merged /usr, as Debian has it: the loader's fixed path /lib64 is a real folder here, so it needs no link.
        var layer = Root().AddProgram(from.Packages, "/usr/sbin/nginx", null, "libnss_files.so.2");
        await AddBusyboxAsync(layer, from, cancellation);
        return layer.AddFile("/etc/nginx/mime.types", Path.Combine(from.Packages, "etc/nginx/mime.types"))
            .AddText("/etc/nginx/nginx.conf", NginxConfiguration).AddText("/etc/nginx/conf.d/default.conf", NginxSite)
            .AddFile("/usr/share/nginx/html/index.html", Path.Combine(from.Packages, "usr/share/nginx/html/index.html"))
            .AddFolder("/var/log/nginx").AddFolder("/var/lib/nginx");
    }

    /// <summary>Our program with what it loads: the C library, OpenSSL for TLS.</summary>
    private static Task<ImageLayer> HardwayAsync(ImageSources from, CancellationToken cancellation) => Task.FromResult(
        Root().AddProgram(from.Packages, "/usr/local/bin/hardway", from.Program, "libssl.so.3", "libcrypto.so.3", "libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2"));

    private static ImageLayer Root() => new ImageLayer().AddText("/etc/passwd", Users).AddText("/etc/group", Groups)
        .AddText("/etc/nsswitch.conf", "hosts: files dns\n").AddFolder("/root").AddFolder("/run").AddFolder("/proc").AddFolder("/sys").AddFolder("/dev")
        .AddFolder("/tmp", (UnixFileMode)Convert.ToInt32("1777", 8));

    private static async Task AddBusyboxAsync(ImageLayer layer, ImageSources from, CancellationToken cancellation)
    {
        var program = Path.Combine(from.Packages, "bin/busybox");
        // Linked dynamically: names are looked up by glibc, which wants its libraries beside it.
        layer.AddProgram(from.Packages, "/bin/busybox", null, "libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2");
        var applets = await HostCommand.RunAsync(program, ["--list"], cancellation);
        foreach (var applet in applets.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            if (applet != "busybox") layer.AddLink("/bin/" + applet, "busybox");
    }
}
