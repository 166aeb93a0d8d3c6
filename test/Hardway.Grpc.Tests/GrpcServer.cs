using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Hardway.Grpc.Tests;

/// <summary>A real HTTP/2 server that speaks the five-byte frames by hand, so the client is not judged by its own code.</summary>
internal sealed class GrpcServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private GrpcServer(WebApplication app) => _app = app;

    public string Address => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    public static async Task<GrpcServer> StartAsync(RequestDelegate handler, Action<KestrelServerOptions>? listen = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => (listen ?? (o => o.Listen(IPAddress.Loopback, 0, l => l.Protocols = HttpProtocols.Http2)))(k));
        var app = builder.Build();
        app.Run(async context =>
        {
            context.Response.ContentType = "application/grpc";
            await handler(context);
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new GrpcServer(app);
    }

    public static async Task<T?> ReadAsync<T>(HttpContext context, MessageParser<T> parser) where T : IMessage<T>
    {
        var prefix = new byte[5];
        if (await context.Request.Body.ReadAtLeastAsync(prefix, 5, throwOnEndOfStream: false) < 5)
        {
            return default;
        }

        var message = new byte[BinaryPrimitives.ReadInt32BigEndian(prefix.AsSpan(1))];
        await context.Request.Body.ReadExactlyAsync(message);
        return parser.ParseFrom(message);
    }

    public static async Task WriteAsync(HttpContext context, IMessage message)
    {
        var body = message.ToByteArray();
        var frame = new byte[5 + body.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), body.Length);
        body.CopyTo(frame, 5);
        await context.Response.Body.WriteAsync(frame);
        await context.Response.Body.FlushAsync();
    }

    public static void End(HttpContext context, StatusCode status = StatusCode.Ok, string? message = null)
    {
        var trailers = context.Features.Get<IHttpResponseTrailersFeature>()!.Trailers;
        trailers["grpc-status"] = ((int)status).ToString();
        if (message is not null)
        {
            trailers["grpc-message"] = message;
        }
    }

    public static X509Certificate2 NewCertificate(string name, X509Certificate2? issuer)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(issuer is null, false, 0, true));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var from = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        if (issuer is null)
        {
            return request.CreateSelfSigned(from, from.AddYears(20));
        }

        using var signed = request.Create(issuer, from, from.AddYears(10), RandomNumberGenerator.GetBytes(8));
        return signed.CopyWithPrivateKey(key);
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }
}
