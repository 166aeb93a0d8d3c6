using Google.Protobuf;
using Hardway.Grpc;

namespace Hardway.Storage.Encryption.Kms;

/// <summary>A key management server on a unix socket. Throws <see cref="GrpcException"/>. Safe for all threads.</summary>
internal sealed class KmsService(string endpoint, TimeSpan timeout) : IDisposable
{
    private const string Service = "/v2.KeyManagementService/";
    private readonly GrpcChannel _channel = GrpcChannel.ForAddress(endpoint);

    public Task<StatusResponse> StatusAsync(CancellationToken cancellationToken) =>
        _channel.UnaryAsync(Service + "Status", new StatusRequest(), StatusResponse.Parser, timeout, cancellationToken);

    public Task<EncryptResponse> EncryptAsync(byte[] plain, CancellationToken cancellationToken) =>
        _channel.UnaryAsync(Service + "Encrypt", new EncryptRequest { Plaintext = ByteString.CopyFrom(plain), Uid = Guid.NewGuid().ToString() }, EncryptResponse.Parser, timeout, cancellationToken);

    public async Task<byte[]> DecryptAsync(EncryptedObject value, CancellationToken cancellationToken)
    {
        var request = new DecryptRequest { Ciphertext = value.EncryptedDekSource, KeyId = value.KeyId, Uid = Guid.NewGuid().ToString() };
        request.Annotations.Add(value.Annotations);
        return (await _channel.UnaryAsync(Service + "Decrypt", request, DecryptResponse.Parser, timeout, cancellationToken).ConfigureAwait(false)).Plaintext.ToByteArray();
    }

    public void Dispose() => _channel.Dispose();
}
