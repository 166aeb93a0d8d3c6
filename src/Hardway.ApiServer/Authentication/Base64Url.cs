using System.Diagnostics.CodeAnalysis;
using Codec = System.Buffers.Text.Base64Url;

namespace Hardway.ApiServer.Authentication;

/// <summary>Base64 for URLs, without padding (RFC 4648 section 5).</summary>
internal static class Base64Url
{
    public static string Encode(ReadOnlySpan<byte> bytes) => Codec.EncodeToString(bytes);

    public static bool TryDecode(ReadOnlySpan<char> text, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        if (text.Contains('=') || !Codec.IsValid(text))
        {
            return false;
        }

        bytes = Codec.DecodeFromChars(text);
        return true;
    }
}
