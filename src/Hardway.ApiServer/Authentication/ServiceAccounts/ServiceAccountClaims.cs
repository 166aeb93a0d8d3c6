using System.Text.Json;

namespace Hardway.ApiServer.Authentication.ServiceAccounts;

/// <summary>An object that a token is bound to.</summary>
internal sealed record BoundObject(string Name, string Uid);

/// <summary>What a service account token says beyond JWT's own claims: kubernetes.io{namespace, serviceaccount, pod, secret, node, warnafter}. Immutable.</summary>
internal sealed record ServiceAccountClaims(string Namespace, BoundObject Account)
{
    public BoundObject? Pod { get; init; }

    public BoundObject? Secret { get; init; }

    public BoundObject? Node { get; init; }

    /// <summary>Seconds since 1970 after which the token should have been renewed, though it is still good.</summary>
    public long? WarnAfter { get; init; }

    /// <summary>A token kept in a Secret, of the form that knows no expiry.</summary>
    public bool IsLegacy { get; init; }

    public static ServiceAccountClaims? Read(Jwt jwt)
    {
        if (!jwt.Claims.TryGetProperty("kubernetes.io", out var own) || own.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        var account = Object(own, "serviceaccount");
        return account is null
            ? null
            : new ServiceAccountClaims(Text(own, "namespace"), account)
            {
                Pod = Object(own, "pod"),
                Secret = Object(own, "secret"),
                Node = Object(own, "node"),
                WarnAfter = own.TryGetProperty("warnafter", out var warn) && warn.TryGetInt64(out var seconds) ? seconds : null,
            };
    }

    public static ServiceAccountClaims ReadLegacy(Jwt jwt) =>
        new(jwt.Text("kubernetes.io/serviceaccount/namespace"), new BoundObject(jwt.Text("kubernetes.io/serviceaccount/service-account.name"), jwt.Text("kubernetes.io/serviceaccount/service-account.uid")))
        {
            Secret = new BoundObject(jwt.Text("kubernetes.io/serviceaccount/secret.name"), ""),
            IsLegacy = true,
        };

    /// <summary>Writes the member kubernetes.io.</summary>
    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("kubernetes.io");
        writer.WriteString("namespace", Namespace);
        WriteObject(writer, "node", Node);
        WriteObject(writer, "pod", Pod);
        WriteObject(writer, "secret", Secret);
        WriteObject(writer, "serviceaccount", Account);
        if (WarnAfter is { } warn)
        {
            writer.WriteNumber("warnafter", warn);
        }

        writer.WriteEndObject();
    }

    private static void WriteObject(Utf8JsonWriter writer, string name, BoundObject? value)
    {
        if (value is null)
        {
            return;
        }

        writer.WriteStartObject(name);
        writer.WriteString("name", value.Name);
        if (value.Uid.Length > 0)
        {
            writer.WriteString("uid", value.Uid);
        }

        writer.WriteEndObject();
    }

    private static BoundObject? Object(JsonElement own, string name) =>
        own.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object && Text(value, "name").Length > 0 ? new BoundObject(Text(value, "name"), Text(value, "uid")) : null;

    private static string Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
