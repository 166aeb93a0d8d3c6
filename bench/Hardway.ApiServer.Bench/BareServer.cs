using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Hardway.ApiServer.Bench;

/// <summary>"bare" of the design's budgets: Kestrel with TLS that answers a file's bytes to every request. Ends with its standard input.</summary>
internal static class BareServer
{
    public static async Task RunAsync(string file, string certificate, string key)
    {
        using var pair = X509Certificate2.CreateFromPemFile(certificate, key);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddLogging();
        builder.WebHost.UseKestrelCore();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(k =>
        {
            k.Limits.Http2.MaxStreamsPerConnection = 1000;
            k.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(pair);
            });
        });
        var app = builder.Build();
        await using (app.ConfigureAwait(false))
        {
            var bytes = await File.ReadAllBytesAsync(file).ConfigureAwait(false);
            app.Run(async context =>
            {
                context.Response.ContentType = "application/json";
                context.Response.ContentLength = bytes.Length;
                await context.Response.BodyWriter.WriteAsync(bytes, context.RequestAborted).ConfigureAwait(false);
            });
            await app.StartAsync().ConfigureAwait(false);
            Console.WriteLine(new Uri(app.Urls.First()).Port);
            await Console.In.ReadToEndAsync().ConfigureAwait(false);
        }
    }
}
