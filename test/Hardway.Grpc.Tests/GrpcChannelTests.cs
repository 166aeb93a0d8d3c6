using System.Net;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Hardway.Grpc.Tests;

public sealed class GrpcChannelTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_unary_call_carries_the_request_and_brings_the_answer()
    {
        string? seen = null;
        await using var server = await GrpcServer.StartAsync(async c =>
        {
            seen = $"{c.Request.Method} {c.Request.Path} {c.Request.ContentType} {c.Request.Headers.TE} {c.Request.Headers["grpc-timeout"].ToString()[^1]}";
            var request = await GrpcServer.ReadAsync(c, StringValue.Parser);
            await GrpcServer.WriteAsync(c, new StringValue { Value = "hello " + request!.Value });
            GrpcServer.End(c);
        });
        using var channel = GrpcChannel.ForAddress(server.Address);

        Assert.Equal("hello you", await Echo(channel, "you"));
        Assert.Equal("POST /test.Service/Method application/grpc trailers m", seen);
    }

    [Fact]
    public async Task A_status_in_trailers_becomes_an_exception_with_the_decoded_message()
    {
        await using var server = await GrpcServer.StartAsync(c =>
        {
            GrpcServer.End(c, StatusCode.NotFound, "no such%20pod: %E2%82%AC 100%");
            return Task.CompletedTask;
        });
        using var channel = GrpcChannel.ForAddress(server.Address);

        var e = await Assert.ThrowsAsync<GrpcException>(() => Echo(channel, "x"));
        Assert.Equal((StatusCode.NotFound, "no such pod: € 100%", false), (e.Status, e.Detail, e.NotSent));
    }

    [Fact]
    public async Task A_trailers_only_answer_is_understood()
    {
        await using var server = await GrpcServer.StartAsync(c =>
        {
            c.Response.Headers["grpc-status"] = "12";
            c.Response.Headers["grpc-message"] = "unknown method";
            return Task.CompletedTask;
        });
        using var channel = GrpcChannel.ForAddress(server.Address);

        var e = await Assert.ThrowsAsync<GrpcException>(() => Echo(channel, "x"));
        Assert.Equal((StatusCode.Unimplemented, "unknown method"), (e.Status, e.Detail));
    }

    [Fact]
    public async Task An_answer_that_is_not_gRPC_is_refused()
    {
        await using var server = await GrpcServer.StartAsync(c =>
        {
            c.Response.ContentType = "text/html";
            return Task.CompletedTask;
        });
        using var channel = GrpcChannel.ForAddress(server.Address);

        Assert.Equal(StatusCode.Unknown, (await Assert.ThrowsAsync<GrpcException>(() => Echo(channel, "x"))).Status);
    }

    [Fact]
    public async Task A_deadline_ends_a_call_that_gets_no_answer()
    {
        await using var server = await GrpcServer.StartAsync(c => Task.Delay(Timeout.Infinite, c.RequestAborted));
        using var channel = GrpcChannel.ForAddress(server.Address);

        var e = await Assert.ThrowsAsync<GrpcException>(() => Echo(channel, "x", TimeSpan.FromMilliseconds(200)));
        Assert.Equal(StatusCode.DeadlineExceeded, e.Status);
    }

    [Fact]
    public async Task A_caller_who_cancels_sees_a_cancellation()
    {
        var arrived = new TaskCompletionSource();
        await using var server = await GrpcServer.StartAsync(c =>
        {
            arrived.SetResult();
            return Task.Delay(Timeout.Infinite, c.RequestAborted);
        });
        using var channel = GrpcChannel.ForAddress(server.Address);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);

        var call = channel.UnaryAsync("/a.B/C", new StringValue(), StringValue.Parser, null, cancel.Token);
        await arrived.Task;
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    [Fact]
    public async Task A_message_over_the_bound_is_refused()
    {
        await using var server = await GrpcServer.StartAsync(async c =>
        {
            await GrpcServer.WriteAsync(c, new BytesValue { Value = ByteString.CopyFrom(new byte[5000]) });
            GrpcServer.End(c);
        });
        using var channel = GrpcChannel.ForAddress(server.Address, new GrpcChannelOptions { MaxReceiveMessageSize = 4096 });

        Assert.Equal(StatusCode.ResourceExhausted, (await Assert.ThrowsAsync<GrpcException>(() => Echo(channel, "x"))).Status);
    }

    [Fact]
    public async Task A_server_stream_is_enumerated_to_its_end_and_its_error_comes_after_the_messages()
    {
        await using var server = await GrpcServer.StartAsync(async c =>
        {
            for (var i = 0; i < 3; i++)
            {
                await GrpcServer.WriteAsync(c, new Int32Value { Value = i });
            }

            GrpcServer.End(c, StatusCode.Aborted, "enough");
        });
        using var channel = GrpcChannel.ForAddress(server.Address);

        var seen = new List<int>();
        var e = await Assert.ThrowsAsync<GrpcException>(async () =>
        {
            await foreach (var m in channel.ServerStreamAsync("/a.B/C", new StringValue(), Int32Value.Parser, null, Stop))
            {
                seen.Add(m.Value);
            }
        });
        Assert.Equal([0, 1, 2], seen);
        Assert.Equal(StatusCode.Aborted, e.Status);
    }

    [Fact]
    public async Task A_duplex_call_answers_each_message_while_it_is_open_and_ends_when_the_sender_is_done()
    {
        await using var server = await GrpcServer.StartAsync(async c =>
        {
            while (await GrpcServer.ReadAsync(c, Int32Value.Parser) is { } m)
            {
                await GrpcServer.WriteAsync(c, new Int32Value { Value = m.Value * 2 });
            }

            GrpcServer.End(c);
        });
        using var channel = GrpcChannel.ForAddress(server.Address);
        await using var call = channel.Duplex<Int32Value, Int32Value>("/a.B/C", Int32Value.Parser, null, Stop);

        for (var i = 1; i < 4; i++)
        {
            await call.SendAsync(new Int32Value { Value = i }, Stop);
            Assert.Equal(i * 2, (await call.ReceiveAsync())!.Value);
        }

        call.CompleteSending();
        Assert.Null(await call.ReceiveAsync());
    }

    [Fact]
    public async Task Disposing_a_duplex_call_cancels_it_at_the_server()
    {
        var aborted = new TaskCompletionSource();
        await using var server = await GrpcServer.StartAsync(async c =>
        {
            c.RequestAborted.Register(aborted.SetResult);
            await GrpcServer.WriteAsync(c, new Int32Value { Value = 1 });
            await aborted.Task;
        });
        using var channel = GrpcChannel.ForAddress(server.Address);
        var call = channel.Duplex<Int32Value, Int32Value>("/a.B/C", Int32Value.Parser, null, Stop);
        Assert.Equal(1, (await call.ReceiveAsync())!.Value);

        await call.DisposeAsync();
        await aborted.Task.WaitAsync(TimeSpan.FromSeconds(20), Stop);
    }

    [Fact]
    public async Task A_refused_connection_says_that_nothing_was_sent()
    {
        var server = await GrpcServer.StartAsync(_ => Task.CompletedTask);
        var address = server.Address;
        await server.DisposeAsync();
        using var channel = GrpcChannel.ForAddress(address);

        var e = await Assert.ThrowsAsync<GrpcException>(() => Echo(channel, "x"));
        Assert.Equal((StatusCode.Unavailable, true), (e.Status, e.NotSent));
    }

    [Fact]
    public async Task A_server_that_dies_in_a_call_leaves_the_outcome_unknown()
    {
        await using var server = await GrpcServer.StartAsync(async c =>
        {
            await GrpcServer.ReadAsync(c, StringValue.Parser);
            c.Abort();
        });
        using var channel = GrpcChannel.ForAddress(server.Address);

        Assert.False((await Assert.ThrowsAsync<GrpcException>(() => Echo(channel, "x"))).NotSent);
    }

    [Theory]
    [InlineData("unix://")]
    [InlineData("unix:")]
    [InlineData("")]
    public async Task A_unix_socket_is_an_address(string scheme)
    {
        var path = Path.Combine(Path.GetTempPath(), $"grpc-{Guid.NewGuid():N}.sock");
        await using var server = await GrpcServer.StartAsync(EchoHandler, o => o.ListenUnixSocket(path, l => l.Protocols = HttpProtocols.Http2));
        using var channel = GrpcChannel.ForAddress(scheme + path);

        Assert.Equal("x", await Echo(channel, "x"));
    }

    [Fact]
    public async Task TLS_checks_the_server_against_our_roots_and_shows_our_certificate()
    {
        using var authority = GrpcServer.NewCertificate("test-ca", null);
        using var serving = GrpcServer.NewCertificate("server", authority);
        using var client = GrpcServer.NewCertificate("the-client", authority);
        using var stranger = GrpcServer.NewCertificate("other-ca", null);
        string? subject = null;
        await using var server = await GrpcServer.StartAsync(
            c =>
            {
                subject = c.Connection.ClientCertificate?.Subject;
                return EchoHandler(c);
            },
            o => o.Listen(IPAddress.Loopback, 0, l => l.UseHttps(new HttpsConnectionAdapterOptions
            {
                ServerCertificate = serving,
                ClientCertificateMode = ClientCertificateMode.AllowCertificate,
                ClientCertificateValidation = (_, _, _) => true,
            })));
        using var channel = GrpcChannel.ForAddress(server.Address, new GrpcChannelOptions { Tls = new GrpcTlsOptions { ClientCertificate = client, TrustedRoots = [authority] } });
        using var deceived = GrpcChannel.ForAddress(server.Address, new GrpcChannelOptions { Tls = new GrpcTlsOptions { TrustedRoots = [stranger] } });

        Assert.Equal("x", await Echo(channel, "x"));
        Assert.Equal("CN=the-client", subject);
        Assert.True((await Assert.ThrowsAsync<GrpcException>(() => Echo(deceived, "x"))).NotSent);
    }

    [Theory]
    [InlineData(0.0001, "1m")]
    [InlineData(2.5, "2500m")]
    [InlineData(100_000, "100000S")]
    public void A_timeout_has_at_most_eight_digits(double seconds, string expected) =>
        Assert.Equal(expected, GrpcStatus.FormatTimeout(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData("localhost:2379")]
    [InlineData("ftp://x")]
    public void An_address_of_another_kind_is_refused(string address) =>
        Assert.Contains(address, Assert.Throws<ArgumentException>(() => GrpcChannel.ForAddress(address)).Message);

    private static async Task EchoHandler(Microsoft.AspNetCore.Http.HttpContext c)
    {
        await GrpcServer.WriteAsync(c, (await GrpcServer.ReadAsync(c, StringValue.Parser))!);
        GrpcServer.End(c);
    }

    private static async Task<string> Echo(GrpcChannel channel, string text, TimeSpan? deadline = null) =>
        (await channel.UnaryAsync("/test.Service/Method", new StringValue { Value = text }, StringValue.Parser, deadline ?? TimeSpan.FromSeconds(20), Stop)).Value;
}
