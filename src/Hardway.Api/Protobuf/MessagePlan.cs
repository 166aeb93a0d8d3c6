using System.Globalization;

namespace Hardway.Api.Protobuf;

/// <summary>A field of a message, or a wrapper message in it that holds further fields of the same type.</summary>
internal sealed record MessagePart(int Number, FieldSchema? Field, MessagePlan? Wrapper);

/// <summary>A type's message: its parts in the order of their numbers. Immutable once made; made once a type.</summary>
internal sealed class MessagePlan
{
    private readonly SortedDictionary<int, MessagePart> _making = [];
    private MessagePart[] _parts = [];
    private MessagePart?[] _byNumber = [];
    private byte[]? _zero;

    public ReadOnlySpan<MessagePart> Parts => _parts;

    /// <summary>The message of a value in which nothing is set.</summary>
    public ReadOnlySpan<byte> Zero(TypeSchema type) => _zero ??= ApiProtobuf.SerializeMessage(type.NewBare());

    public MessagePart? Find(int number) => (uint)number < (uint)_byNumber.Length ? _byNumber[number] : null;

    public static MessagePlan Make(TypeSchema type)
    {
        var plan = new MessagePlan();
        foreach (var field in type.Fields)
        {
            if (field.ProtoNumber == 0 || (field.Flags & FieldFlags.Envelope) != 0)
            {
                continue;
            }

            var at = plan;
            foreach (var wrapper in (field.ProtoIn ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
            {
                at = at.WrapperAt(int.Parse(wrapper.Split(':')[1], CultureInfo.InvariantCulture));
            }

            at._making[field.ProtoNumber] = new MessagePart(field.ProtoNumber, field, null);
        }

        plan.Seal();
        return plan;
    }

    private MessagePlan WrapperAt(int number)
    {
        if (!_making.TryGetValue(number, out var part))
        {
            _making[number] = part = new MessagePart(number, null, new MessagePlan());
        }

        return part.Wrapper ?? throw new InvalidOperationException($"number {number} is both a field and a wrapper");
    }

    private void Seal()
    {
        _parts = [.. _making.Values];
        _byNumber = new MessagePart?[_parts.Length == 0 ? 0 : _parts[^1].Number + 1];
        foreach (var part in _parts)
        {
            _byNumber[part.Number] = part;
            part.Wrapper?.Seal();
        }
    }
}
