namespace Hardway.ApiServer.Authentication.ServiceAccounts;

/// <summary>Signs service account tokens with this server's key. Safe for all threads.</summary>
internal sealed class ServiceAccountTokenIssuer(SigningKey key, string issuer, TimeProvider time)
{
    /// <param name="claims">Whom and what the token is for.</param>
    /// <param name="audiences">Who may accept it.</param>
    /// <param name="life">Until when, from now.</param>
    public string Issue(ServiceAccountClaims claims, IReadOnlyList<string> audiences, TimeSpan life)
    {
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        return Jwt.Sign(key, w =>
        {
            w.WriteStartArray("aud");
            foreach (var audience in audiences)
            {
                w.WriteStringValue(audience);
            }

            w.WriteEndArray();
            w.WriteNumber("exp", now + (long)life.TotalSeconds);
            w.WriteNumber("iat", now);
            w.WriteString("iss", issuer);
            w.WriteString("jti", Guid.NewGuid().ToString());
            claims.Write(w);
            w.WriteNumber("nbf", now);
            w.WriteString("sub", ServiceAccountNames.UserName(claims.Namespace, claims.Account.Name));
        });
    }
}
