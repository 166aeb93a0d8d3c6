using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Hardway.Dns.Wire;

/// <summary>
/// A fully qualified domain name: labels of raw octets (kept as Latin-1 characters, case as received).
/// Equality folds ASCII case only (RFC 4343). At most 63 octets a label and 255 a name, checked on creation.
/// </summary>
internal sealed class DnsName : IEquatable<DnsName>
{
    public const int MaxLabel = 63;
    public const int MaxName = 255;

    public static readonly DnsName Root = new([]);

    private readonly string[] _labels;

    public DnsName(params string[] labels)
    {
        var octets = 1;
        foreach (var label in labels)
        {
            if (label.Length is 0 or > MaxLabel)
            {
                throw new DnsFormatException("a label has 1 to 63 octets");
            }

            octets += label.Length + 1;
        }

        if (octets > MaxName)
        {
            throw new DnsFormatException("a name has at most 255 octets");
        }

        _labels = labels;
        Key = KeyOf(labels);
    }

    public ReadOnlySpan<string> Labels => _labels;

    public int Count => _labels.Length;

    /// <summary>Lower case, dots and backslashes inside labels escaped, with the final dot: the same for equal names.</summary>
    public string Key { get; }

    /// <summary>Presentation form without escapes beyond \. and \\; a final dot is optional.</summary>
    public static DnsName Parse(string text)
    {
        if (text is "." or "")
        {
            return Root;
        }

        var labels = new List<string>();
        var label = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '.')
            {
                labels.Add(label.ToString());
                label.Clear();
                continue;
            }

            if (c == '\\' && ++i < text.Length)
            {
                c = text[i];
            }

            label.Append(c <= 0xff ? c : throw new DnsFormatException("a name has only octets"));
        }

        if (label.Length > 0)
        {
            labels.Add(label.ToString());
        }

        return new DnsName([.. labels]);
    }

    public static bool TryParse(string text, [NotNullWhen(true)] out DnsName? name)
    {
        try
        {
            name = Parse(text);
            return true;
        }
        catch (DnsFormatException)
        {
            name = null;
            return false;
        }
    }

    /// <summary>This name with <paramref name="labels"/> in front.</summary>
    public DnsName Prepend(params string[] labels) => new([.. labels, .. _labels]);

    public bool EndsWith(DnsName suffix)
    {
        var skip = Count - suffix.Count;
        if (skip < 0)
        {
            return false;
        }

        for (var i = 0; i < suffix.Count; i++)
        {
            if (Fold(_labels[skip + i]) != Fold(suffix._labels[i]))
            {
                return false;
            }
        }

        return true;
    }

    public bool Equals(DnsName? other) => other is not null && Key == other.Key;

    public override bool Equals(object? obj) => Equals(obj as DnsName);

    public override int GetHashCode() => Key.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => Key;

    /// <summary>ASCII lower case; other octets stay.</summary>
    public static string Fold(string label)
    {
        foreach (var c in label)
        {
            if (c is >= 'A' and <= 'Z')
            {
                return string.Create(label.Length, label, static (span, source) =>
                {
                    for (var i = 0; i < span.Length; i++)
                    {
                        span[i] = source[i] is >= 'A' and <= 'Z' ? (char)(source[i] | 0x20) : source[i];
                    }
                });
            }
        }

        return label;
    }

    internal static string KeyOf(ReadOnlySpan<string> labels)
    {
        if (labels.IsEmpty)
        {
            return ".";
        }

        var key = new StringBuilder(64);
        foreach (var label in labels)
        {
            foreach (var c in label)
            {
                if (c is '.' or '\\')
                {
                    key.Append('\\');
                }

                key.Append(c is >= 'A' and <= 'Z' ? (char)(c | 0x20) : c);
            }

            key.Append('.');
        }

        return key.ToString();
    }
}
