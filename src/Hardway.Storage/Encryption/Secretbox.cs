using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace Hardway.Storage.Encryption;

/// <summary>
/// NaCl's crypto_secretbox: XSalsa20 with Poly1305 (D. J. Bernstein, "Cryptography in NaCl", "Extending the Salsa20 nonce",
/// "The Poly1305-AES message-authentication code"). .NET has neither. Layout: tag (16), ciphertext.
/// </summary>
internal static class Secretbox
{
    public const int KeyLength = 32;
    public const int NonceLength = 24;
    private const int TagLength = 16;
    private const int BlockLength = 64;

    public static byte[] Seal(ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> plain)
    {
        // The stream's first 32 bytes are the authenticator's key, so the message begins at byte 32 of the stream.
        var stream = new byte[32 + plain.Length];
        plain.CopyTo(stream.AsSpan(32));
        XorStream(key, nonce, stream);
        var result = new byte[TagLength + plain.Length];
        stream.AsSpan(32).CopyTo(result.AsSpan(TagLength));
        Poly1305(stream.AsSpan(0, 32), result.AsSpan(TagLength), result.AsSpan(0, TagLength));
        return result;
    }

    public static byte[] Open(ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> box)
    {
        if (box.Length < TagLength)
        {
            throw new CryptographicException("shorter than its tag");
        }

        var stream = new byte[32 + box.Length - TagLength];
        box[TagLength..].CopyTo(stream.AsSpan(32));
        XorStream(key, nonce, stream);
        Span<byte> tag = stackalloc byte[TagLength];
        Poly1305(stream.AsSpan(0, 32), box[TagLength..], tag);
        return CryptographicOperations.FixedTimeEquals(tag, box[..TagLength])
            ? stream[32..]
            : throw new CryptographicException("the authentication tag is wrong");
    }

    /// <summary>XSalsa20: a key of its own from the nonce's first 16 bytes, then Salsa20 with the other 8.</summary>
    private static void XorStream(ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, Span<byte> data)
    {
        Span<uint> state = stackalloc uint[16];
        Span<uint> block = stackalloc uint[16];
        Load(state, key, nonce[..16]);
        state.CopyTo(block);
        Rounds(block);
        Span<byte> subkey = stackalloc byte[32];
        ReadOnlySpan<int> words = [0, 5, 10, 15, 6, 7, 8, 9];
        for (var i = 0; i < 8; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(subkey[(4 * i)..], block[words[i]]);
        }

        Span<byte> input = stackalloc byte[16];
        input.Clear();
        nonce[16..].CopyTo(input);
        Load(state, subkey, input);
        Span<byte> bytes = stackalloc byte[BlockLength];
        for (var at = 0; at < data.Length; at += BlockLength)
        {
            state.CopyTo(block);
            Rounds(block);
            for (var i = 0; i < 16; i++)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(bytes[(4 * i)..], block[i] + state[i]);
            }

            var part = data[at..Math.Min(data.Length, at + BlockLength)];
            for (var i = 0; i < part.Length; i++)
            {
                part[i] ^= bytes[i];
            }

            if (++state[8] == 0)
            {
                state[9]++;
            }
        }
    }

    private static void Load(Span<uint> state, ReadOnlySpan<byte> key, ReadOnlySpan<byte> input)
    {
        // "expand 32-byte k" on the diagonal.
        (state[0], state[5], state[10], state[15]) = (0x61707865, 0x3320646e, 0x79622d32, 0x6b206574);
        for (var i = 0; i < 4; i++)
        {
            state[1 + i] = BinaryPrimitives.ReadUInt32LittleEndian(key[(4 * i)..]);
            state[11 + i] = BinaryPrimitives.ReadUInt32LittleEndian(key[(16 + (4 * i))..]);
            state[6 + i] = BinaryPrimitives.ReadUInt32LittleEndian(input[(4 * i)..]);
        }
    }

    private static void Rounds(Span<uint> x)
    {
        for (var i = 0; i < 10; i++)
        {
            Quarter(x, 0, 4, 8, 12);
            Quarter(x, 5, 9, 13, 1);
            Quarter(x, 10, 14, 2, 6);
            Quarter(x, 15, 3, 7, 11);
            Quarter(x, 0, 1, 2, 3);
            Quarter(x, 5, 6, 7, 4);
            Quarter(x, 10, 11, 8, 9);
            Quarter(x, 15, 12, 13, 14);
        }
    }

    private static void Quarter(Span<uint> x, int a, int b, int c, int d)
    {
        x[b] ^= BitOperations.RotateLeft(x[a] + x[d], 7);
        x[c] ^= BitOperations.RotateLeft(x[b] + x[a], 9);
        x[d] ^= BitOperations.RotateLeft(x[c] + x[b], 13);
        x[a] ^= BitOperations.RotateLeft(x[d] + x[c], 18);
    }

    /// <summary>h = (h + block) * r mod 2^130 - 5 for each block, in five limbs of 26 bits; then plus s mod 2^128.</summary>
    private static void Poly1305(ReadOnlySpan<byte> key, ReadOnlySpan<byte> message, Span<byte> tag)
    {
        Span<ulong> r = stackalloc ulong[5];
        Span<ulong> h = stackalloc ulong[5];
        Span<ulong> d = stackalloc ulong[5];
        Span<byte> block = stackalloc byte[17];
        h.Clear();
        var clamped = BinaryPrimitives.ReadUInt128LittleEndian(key) & ((UInt128)0x0ffffffc0ffffffcul << 64 | 0x0ffffffc0ffffffful);
        for (var i = 0; i < 5; i++)
        {
            r[i] = (ulong)(clamped >> (26 * i)) & 0x3ffffff;
        }

        for (var at = 0; at < message.Length; at += 16)
        {
            var part = message[at..Math.Min(message.Length, at + 16)];
            block.Clear();
            part.CopyTo(block);
            block[part.Length] = 1;
            var value = BinaryPrimitives.ReadUInt128LittleEndian(block);
            for (var i = 0; i < 5; i++)
            {
                h[i] += (ulong)(value >> (26 * i)) & 0x3ffffff;
            }

            // The 129th bit: 2^128 is bit 24 of the fifth limb.
            h[4] += (ulong)block[16] << 24;
            for (var i = 0; i < 5; i++)
            {
                d[i] = 0;
                for (var j = 0; j < 5; j++)
                {
                    // A product beyond 2^130 comes back times five.
                    d[i] += j <= i ? h[j] * r[i - j] : h[j] * 5 * r[i + 5 - j];
                }
            }

            Carry(d, h);
        }

        Finish(h, BinaryPrimitives.ReadUInt128LittleEndian(key[16..]), tag);
    }

    private static void Carry(Span<ulong> from, Span<ulong> to)
    {
        ulong carry = 0;
        for (var i = 0; i < 5; i++)
        {
            var sum = from[i] + carry;
            to[i] = sum & 0x3ffffff;
            carry = sum >> 26;
        }

        to[0] += carry * 5;
        to[1] += to[0] >> 26;
        to[0] &= 0x3ffffff;
    }

    private static void Finish(Span<ulong> h, UInt128 s, Span<byte> tag)
    {
        Carry(h, h);
        Carry(h, h);

        // h is below 2^130 now; h - p is h + 5 - 2^130, chosen without a branch when it does not go below zero.
        Span<ulong> reduced = stackalloc ulong[5];
        ulong carry = 5;
        for (var i = 0; i < 5; i++)
        {
            var sum = h[i] + carry;
            reduced[i] = sum & 0x3ffffff;
            carry = sum >> 26;
        }

        var take = 0 - carry;
        UInt128 value = 0;
        for (var i = 0; i < 5; i++)
        {
            value += (UInt128)((h[i] & ~take) | (reduced[i] & take)) << (26 * i);
        }

        BinaryPrimitives.WriteUInt128LittleEndian(tag, value + s);
    }
}
