using System.Collections.Concurrent;
using System.Globalization;

namespace Hardway.Api.Protobuf;

/// <summary>A type's message: its fields by number, and the wrapper messages in it that hold further fields of the same type.</summary>
internal sealed class MessagePlan
{
    private static readonly ConcurrentDictionary<TypeSchema, MessagePlan> s_plans = new();

    public Dictionary<int, FieldSchema> Fields { get; } = [];

    public SortedDictionary<int, MessagePlan> Wrappers { get; } = [];

    public static MessagePlan Of(TypeSchema type) => s_plans.GetOrAdd(type, Make);

    private static MessagePlan Make(TypeSchema type)
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
                var number = int.Parse(wrapper.Split(':')[1], CultureInfo.InvariantCulture);
                at = at.Wrappers.TryGetValue(number, out var known) ? known : at.Wrappers[number] = new MessagePlan();
            }

            at.Fields[field.ProtoNumber] = field;
        }

        return plan;
    }
}
