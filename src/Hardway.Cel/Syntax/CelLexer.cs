using System.Globalization;
using System.Text;

namespace Hardway.Cel.Syntax;

internal enum TokenKind
{
    End,
    Identifier,
    Integer,
    Unsigned,
    Double,
    Text,
    Bytes,
    Symbol,
}

internal readonly record struct Token(TokenKind Kind, string Text, object? Value, int Position);

/// <summary>Cuts an expression into tokens.</summary>
internal sealed class CelLexer(string text)
{
    private static readonly string[] s_symbols = ["&&", "||", "==", "!=", "<=", ">=", "{", "}", "(", ")", "[", "]", ".", ",", ":", "?", "+", "-", "*", "/", "%", "!", "<", ">"];
    private int _at;

    public List<Token> All()
    {
        var tokens = new List<Token>();
        Token token;
        do
        {
            token = Next();
            tokens.Add(token);
        }
        while (token.Kind != TokenKind.End);
        return tokens;
    }

    private Token Next()
    {
        SkipBlank();
        if (_at >= text.Length)
        {
            return new Token(TokenKind.End, "<EOF>", null, text.Length);
        }

        var start = _at;
        var c = text[_at];
        if (TryString(out var literal))
        {
            return literal;
        }

        if (c == '`')
        {
            return Quoted(start);
        }

        if (char.IsAsciiLetter(c) || c == '_')
        {
            while (_at < text.Length && (char.IsAsciiLetterOrDigit(text[_at]) || text[_at] == '_'))
            {
                _at++;
            }

            return new Token(TokenKind.Identifier, text[start.._at], null, start);
        }

        if (char.IsAsciiDigit(c) || (c == '.' && _at + 1 < text.Length && char.IsAsciiDigit(text[_at + 1])))
        {
            return Number(start);
        }

        foreach (var symbol in s_symbols)
        {
            if (string.CompareOrdinal(text, _at, symbol, 0, symbol.Length) == 0)
            {
                _at += symbol.Length;
                return new Token(TokenKind.Symbol, symbol, null, start);
            }
        }

        throw new CelSyntaxException($"unexpected character '{c}'", start);
    }

    private void SkipBlank()
    {
        while (_at < text.Length)
        {
            if (char.IsWhiteSpace(text[_at]))
            {
                _at++;
            }
            else if (text[_at] == '/' && _at + 1 < text.Length && text[_at + 1] == '/')
            {
                while (_at < text.Length && text[_at] != '\n')
                {
                    _at++;
                }
            }
            else
            {
                return;
            }
        }
    }

    private Token Quoted(int start)
    {
        var end = text.IndexOf('`', start + 1);
        if (end < 0)
        {
            throw new CelSyntaxException("the name in back quotes has no end", start);
        }

        _at = end + 1;
        return new Token(TokenKind.Identifier, text[(start + 1)..end], "quoted", start);
    }

    private Token Number(int start)
    {
        if (text[_at] == '0' && _at + 1 < text.Length && text[_at + 1] is 'x' or 'X')
        {
            _at += 2;
            while (_at < text.Length && char.IsAsciiHexDigit(text[_at]))
            {
                _at++;
            }

            return ulong.TryParse(text.AsSpan(start + 2, _at - start - 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hex) ? Whole(start, hex) : throw new CelSyntaxException("invalid number", start);
        }

        Digits();
        var isDouble = false;
        if (_at + 1 < text.Length && text[_at] == '.' && char.IsAsciiDigit(text[_at + 1]))
        {
            isDouble = true;
            _at++;
            Digits();
        }

        if (_at < text.Length && text[_at] is 'e' or 'E')
        {
            isDouble = true;
            _at++;
            if (_at < text.Length && text[_at] is '+' or '-')
            {
                _at++;
            }

            Digits();
        }

        var span = text.AsSpan(start, _at - start);
        if (isDouble)
        {
            return double.TryParse(span, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) ? new Token(TokenKind.Double, span.ToString(), real, start) : throw new CelSyntaxException("invalid number", start);
        }

        return ulong.TryParse(span, NumberStyles.None, CultureInfo.InvariantCulture, out var whole) ? Whole(start, whole) : throw new CelSyntaxException("invalid int literal", start);

        void Digits()
        {
            while (_at < text.Length && char.IsAsciiDigit(text[_at]))
            {
                _at++;
            }
        }
    }

    private Token Whole(int start, ulong value)
    {
        if (_at < text.Length && text[_at] is 'u' or 'U')
        {
            _at++;
            return new Token(TokenKind.Unsigned, text[start.._at], value, start);
        }

        return new Token(TokenKind.Integer, text[start.._at], value, start);
    }

    private bool TryString(out Token token)
    {
        token = default;
        var start = _at;
        var at = _at;
        var (isRaw, isBytes) = (false, false);
        while (at < text.Length && text[at] is 'r' or 'R' or 'b' or 'B' && at - start < 2)
        {
            isRaw |= text[at] is 'r' or 'R';
            isBytes |= text[at] is 'b' or 'B';
            at++;
        }

        if (at >= text.Length || text[at] is not ('"' or '\''))
        {
            return false;
        }

        var quote = text[at];
        var isTriple = at + 2 < text.Length && text[at + 1] == quote && text[at + 2] == quote;
        _at = at + (isTriple ? 3 : 1);
        var bytes = new List<byte>();
        while (true)
        {
            if (_at >= text.Length || (!isTriple && text[_at] is '\n' or '\r'))
            {
                throw new CelSyntaxException("the string has no end", start);
            }

            if (text[_at] == quote && (!isTriple || (_at + 2 < text.Length && text[_at + 1] == quote && text[_at + 2] == quote)))
            {
                _at += isTriple ? 3 : 1;
                break;
            }

            Character(bytes, isRaw, isBytes);
        }

        var content = bytes.ToArray();
        token = isBytes ? new Token(TokenKind.Bytes, "", content, start) : new Token(TokenKind.Text, "", Encoding.UTF8.GetString(content), start);
        return true;
    }

    private void Character(List<byte> bytes, bool isRaw, bool isBytes)
    {
        Span<byte> buffer = stackalloc byte[4];
        if (text[_at] != '\\' || isRaw)
        {
            if (Rune.DecodeFromUtf16(text.AsSpan(_at), out var rune, out var used) != System.Buffers.OperationStatus.Done)
            {
                throw new CelSyntaxException("broken character", _at);
            }

            bytes.AddRange(buffer[..rune.EncodeToUtf8(buffer)]);
            _at += used;
            return;
        }

        var start = _at++;
        var c = _at < text.Length ? text[_at++] : throw new CelSyntaxException("the string has no end", start);
        switch (c)
        {
            case 'x' or 'X':
                Code(2, 16);
                break;
            case 'u':
                Code(4, 16);
                break;
            case 'U':
                Code(8, 16);
                break;
            case >= '0' and <= '3':
                _at--;
                Code(3, 8);
                break;
            default:
                var plain = c switch { 'a' => '\a', 'b' => '\b', 'f' => '\f', 'n' => '\n', 'r' => '\r', 't' => '\t', 'v' => '\v', '\\' or '\'' or '"' or '`' or '?' => c, _ => throw new CelSyntaxException($"unknown escape \\{c}", start) };
                bytes.Add((byte)plain);
                break;
        }

        void Code(int digits, int radix)
        {
            var code = 0L;
            for (var i = 0; i < digits; i++)
            {
                var digit = _at < text.Length && char.IsAsciiHexDigit(text[_at]) ? Convert.ToInt32(text[_at].ToString(), 16) : 99;
                code = digit < radix ? (code * radix) + digit : throw new CelSyntaxException("invalid escape", start);
                _at++;
            }

            if (isBytes && digits <= 3)
            {
                bytes.Add((byte)code);
            }
            else if (code <= int.MaxValue && Rune.IsValid((int)code))
            {
                Span<byte> utf8 = stackalloc byte[4];
                bytes.AddRange(utf8[..new Rune((int)code).EncodeToUtf8(utf8)]);
            }
            else
            {
                throw new CelSyntaxException("the escape is no character", start);
            }
        }
    }
}
