using System.Globalization;

namespace Hardway.Api;

/// <summary>A number or a string (a port's number or name, a count or a percentage).</summary>
public readonly record struct IntOrString
{
    private readonly string? _text;

    public IntOrString(int value) => IntValue = value;

    public IntOrString(string value) => _text = value;

    public bool IsInt => _text is null;

    public int IntValue { get; }

    public string StringValue => _text ?? "";

    public static implicit operator IntOrString(int value) => new(value);

    public static implicit operator IntOrString(string value) => new(value);

    /// <summary>The number, or the percentage of the total; null when the string is neither. Rounds up or down as told.</summary>
    public int? Scaled(int total, bool roundUp)
    {
        if (IsInt)
        {
            return IntValue;
        }

        if (!StringValue.EndsWith('%') || !int.TryParse(StringValue.AsSpan(0, StringValue.Length - 1), NumberStyles.Integer, CultureInfo.InvariantCulture, out var percent))
        {
            return null;
        }

        var exact = (long)total * percent;
        return (int)(roundUp ? (exact + 99) / 100 : exact / 100);
    }

    public override string ToString() => _text ?? IntValue.ToString(CultureInfo.InvariantCulture);
}
