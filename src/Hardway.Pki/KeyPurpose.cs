namespace Hardway.Pki;

/// <summary>The extended key usages that Kubernetes asks for (RFC 5280, 4.2.1.12).</summary>
public static class KeyPurpose
{
    public const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    public const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
}
