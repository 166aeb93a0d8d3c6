using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Hardway.ApiServer.Registry;
using Hardway.Grpc;
using Hardway.Hosting;
using Hardway.Pki;
using Hardway.Storage;
using Hardway.Storage.Embedded;
using Hardway.Storage.Encryption;
using Hardway.Storage.Etcd;

namespace Hardway.ApiServer.Serving;

/// <summary>Opens the store that the options name: etcd, or the embedded one; with encryption at rest where configured.</summary>
internal static class StoreFactory
{
    /// <param name="options">What the command line says.</param>
    /// <param name="scheme">Which resource a key belongs to.</param>
    /// <param name="time">The clock.</param>
    /// <param name="encryption">The store with encryption at rest, where configured: the same as what is returned.</param>
    public static IStore Open(ApiServerOptions options, ResourceScheme scheme, TimeProvider time, out TransformingStore? encryption)
    {
        encryption = null;
        try
        {
            var store = options.EtcdServers.Count > 0 ? (IStore)new EtcdStore(Etcd(options), time) : Embedded(options, time);
            if (options.EncryptionConfigFile.Length == 0)
            {
                return store;
            }

            return encryption = new TransformingStore(store, EncryptionModel.Parse(File.ReadAllText(options.EncryptionConfigFile), options.EncryptionConfigFile, time), key => ResourceOf(scheme, key));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or EncryptionConfigException or ArgumentException)
        {
            throw new ComponentException(e.Message, e);
        }
    }

    private static EmbeddedStore Embedded(ApiServerOptions options, TimeProvider time)
    {
        Directory.CreateDirectory(options.DataDir, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return EmbeddedStore.Open(Path.Combine(options.DataDir, "store.db"), time);
    }

    private static EtcdOptions Etcd(ApiServerOptions options) => new()
    {
        Endpoints = options.EtcdServers,
        Tls = new GrpcTlsOptions
        {
            TrustedRoots = options.EtcdCaFile.Length > 0 ? PemFiles.ReadCertificates(options.EtcdCaFile) : null,
            ClientCertificate = options.EtcdCertFile.Length > 0 ? PemFiles.ReadWithKey(options.EtcdCertFile, options.EtcdKeyFile.Length > 0 ? options.EtcdKeyFile : options.EtcdCertFile) : null,
        },
    };

    private static (string Group, string Resource)? ResourceOf(ResourceScheme scheme, string key) =>
        scheme.ByKey(key) is { } registry ? (registry.Group, registry.Resource) : null;
}
