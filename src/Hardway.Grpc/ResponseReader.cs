using Google.Protobuf;

namespace Hardway.Grpc;

/// <summary>Reads a call's responses one by one; one reader at a time. Disposing ends the call and waits until the transport let go of it.</summary>
internal sealed class ResponseReader<T>(Task<HttpResponseMessage> sending, MessageParser<T> parser, CallScope scope, string target, int maxSize) : IAsyncDisposable
    where T : IMessage<T>
{
    private HttpResponseMessage? _response;
    private Stream? _body;

    /// <summary>The next message; null after the last one when the status is OK, else the status as an exception.</summary>
    public async ValueTask<T?> ReadAsync()
    {
        try
        {
            _response ??= await sending.ConfigureAwait(false);
            _body ??= await _response.Content.ReadAsStreamAsync(scope.Token).ConfigureAwait(false);
            var message = await GrpcFrame.ReadAsync(_body, parser, maxSize, scope.Token).ConfigureAwait(false);
            if (message is null)
            {
                GrpcStatus.ThrowUnlessOk(_response);
            }

            return message;
        }
        catch (Exception e) when (scope.Translate(e, target) is { } translated)
        {
            throw translated;
        }
    }

    public async ValueTask DisposeAsync()
    {
        scope.Cancel();
        if (_body is not null)
        {
            await _body.DisposeAsync().ConfigureAwait(false);
        }

        // The outcome of a call that is being thrown away interests nobody; it must only be over.
        await ((Task)sending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (sending.IsCompletedSuccessfully)
        {
            (await sending.ConfigureAwait(false)).Dispose();
        }
    }
}
