using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Hardway.Provisioning.Faults;

/// <summary>Whom a kubeconfig's client certificate (base64 of its PEM, as the file has it) makes its bearer; null when that cannot be read.</summary>
internal static class KubeletUser
{
    public static string? Read(string data)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(Encoding.ASCII.GetString(Convert.FromBase64String(data)));
            return certificate.GetNameInfo(X509NameType.SimpleName, false);
        }
        catch (Exception e) when (e is FormatException or CryptographicException)
        {
            return null;
        }
    }
}
