using System.Buffers.Binary;
using Hardway.Api;
using Hardway.Api.Core.V1;

namespace Hardway.ControllerManager;

/// <summary>The value of pod-template-hash: stable for a template and a collision count, in the alphabet without vowels that makes no words.</summary>
internal static class PodTemplateHash
{
    public const string Label = "pod-template-hash";
    private const string Alphabet = "bcdfghjklmnpqrstvwxz2456789";

    public static string Of(PodTemplateSpec template, int? collisionCount)
    {
        var hash = Fnv(14695981039346656037, ApiJson.Serialize(template));
        if (collisionCount is { } count)
        {
            Span<byte> bytes = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(bytes, count);
            hash = Fnv(hash, bytes);
        }
        Span<char> text = stackalloc char[10];
        for (var i = 0; i < text.Length; i++, hash /= (ulong)Alphabet.Length) text[i] = Alphabet[(int)(hash % (ulong)Alphabet.Length)];
        return new string(text);
    }

    private static ulong Fnv(ulong hash, ReadOnlySpan<byte> bytes)
    {
        foreach (var b in bytes) hash = (hash ^ b) * 1099511628211;
        return hash;
    }
}
