using System.Buffers.Binary;
using System.Security.Cryptography;
using Google.Protobuf;
using Hardway.Storage.Encryption.Kms;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Hardway.Storage.Tests;

/// <summary>A key management server on a unix socket that keeps its keys in memory and turns bytes around by them.</summary>
internal sealed class KmsServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private KmsServer(WebApplication app) => _app = app;

    public string KeyId { get; set; } = "key-1";

    public string Health { get; set; } = "ok";

    public int Decrypted { get; private set; }

    public int Encrypted { get; private set; }

    public static async Task<KmsServer> StartAsync(string socket)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.ListenUnixSocket(socket, l => l.Protocols = HttpProtocols.Http2));
        var app = builder.Build();
        var server = new KmsServer(app);
        app.Run(server.AnswerAsync);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var prefix = new byte[5];
        await context.Request.Body.ReadExactlyAsync(prefix);
        var body = new byte[BinaryPrimitives.ReadInt32BigEndian(prefix.AsSpan(1))];
        await context.Request.Body.ReadExactlyAsync(body);
        var answer = Answer(context.Request.Path, body).ToByteArray();
        context.Response.ContentType = "application/grpc";
        var frame = new byte[5 + answer.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), answer.Length);
        answer.CopyTo(frame, 5);
        await context.Response.Body.WriteAsync(frame);
        context.Features.Get<IHttpResponseTrailersFeature>()!.Trailers["grpc-status"] = "0";
    }

    private IMessage Answer(string path, byte[] body)
    {
        switch (path)
        {
            case "/v2.KeyManagementService/Status":
                return new StatusResponse { Version = "v2", Healthz = Health, KeyId = KeyId };
            case "/v2.KeyManagementService/Encrypt":
                Encrypted++;
                return new EncryptResponse { KeyId = KeyId, Ciphertext = ByteString.CopyFrom(Turn(EncryptRequest.Parser.ParseFrom(body).Plaintext.Span, KeyId)), Annotations = { ["kms.example.test/a"] = ByteString.CopyFromUtf8("1") } };
            default:
                Decrypted++;
                var request = DecryptRequest.Parser.ParseFrom(body);
                Assert.Equal("1", request.Annotations["kms.example.test/a"].ToStringUtf8());
                return new DecryptResponse { Plaintext = ByteString.CopyFrom(Turn(request.Ciphertext.Span, request.KeyId)) };
        }
    }

    private static byte[] Turn(ReadOnlySpan<byte> bytes, string key)
    {
        var mask = SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(key));
        var turned = bytes.ToArray();
        for (var i = 0; i < turned.Length; i++)
        {
            turned[i] ^= mask[i % mask.Length];
        }

        return turned;
    }
}
