using Hardway.Api;
using Hardway.Api.FlowControl.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.FlowControl;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.FlowControl;

internal sealed class PriorityLevelConfigurationRules : KindRules<PriorityLevelConfiguration>
{
    private const string Exempt = "exempt";
    private const int MostQueues = 10_000_000;
    private const int MostHandBits = 60;

    public override bool HasStatus => true;

    public override bool HasGeneration => true;

    public override IReadOnlyList<TableColumn> Columns => [new("Type"), new("NominalConcurrencyShares"), new("Queues"), new("HandSize"), new("QueueLengthLimit"), new("Age")];

    protected override void Default(PriorityLevelConfiguration value)
    {
        if (value.Spec.Limited is { } limited)
        {
            limited.NominalConcurrencyShares ??= 30;
            limited.LendablePercent ??= 0;
            if (limited.LimitResponse.Queuing is { } queuing)
            {
                queuing.Queues = queuing.Queues == 0 ? 64 : queuing.Queues;
                queuing.HandSize = queuing.HandSize == 0 ? 8 : queuing.HandSize;
                queuing.QueueLengthLimit = queuing.QueueLengthLimit == 0 ? 50 : queuing.QueueLengthLimit;
            }
        }

        if (value.Spec.Exempt is { } exempt)
        {
            exempt.NominalConcurrencyShares ??= 0;
            exempt.LendablePercent ??= 0;
        }
    }

    protected override void Validate(RuleContext context, PriorityLevelConfiguration value, ErrorList errors)
    {
        var (spec, name) = (value.Spec, value.Metadata.Name);
        if ((spec.Type == "Exempt") != (name == Exempt))
        {
            errors.Invalid(FieldPath.Spec.Child("type"), spec.Type, "is Exempt for the level exempt, and for no other");
        }

        if (SuggestedConfiguration.FixedLevel(name) is { } fixedSpec && !IsFixed(spec, fixedSpec))
        {
            errors.Invalid(FieldPath.Spec, name, "a level of this name is fixed, but for its shares and what it lends");
        }

        switch (spec.Type)
        {
            case "Exempt":
                Absent(spec.Limited, "limited", "Exempt", errors);
                if (spec.Exempt is { } exempt)
                {
                    Shares(exempt.NominalConcurrencyShares, exempt.LendablePercent, FieldPath.Spec.Child("exempt"), errors);
                }

                break;
            case "Limited":
                Absent(spec.Exempt, "exempt", "Limited", errors);
                if (spec.Limited is null)
                {
                    errors.Required(FieldPath.Spec.Child("limited"), "the type Limited needs it");
                }
                else
                {
                    Limited(spec.Limited, FieldPath.Spec.Child("limited"), errors);
                }

                break;
            default:
                errors.NotSupported(FieldPath.Spec.Child("type"), spec.Type, "Exempt", "Limited");
                break;
        }
    }

    protected override IReadOnlyList<object?> Cells(PriorityLevelConfiguration value, DateTimeOffset now)
    {
        var (limited, exempt) = (value.Spec.Limited, value.Spec.Exempt);
        var queuing = limited?.LimitResponse.Queuing;
        object shares = limited?.NominalConcurrencyShares ?? exempt?.NominalConcurrencyShares ?? (object)"<none>";
        return
        [
            value.Metadata.Name, value.Spec.Type, shares, Or(queuing?.Queues), Or(queuing?.HandSize), Or(queuing?.QueueLengthLimit), Ages.Since(value.Metadata.CreationTimestamp, now),
        ];

        static object Or(int? number) => number ?? (object)"<none>";
    }

    /// <summary>Exempt may change its shares and what it lends.</summary>
    private static bool IsFixed(PriorityLevelConfigurationSpec spec, PriorityLevelConfigurationSpec wanted)
    {
        if (wanted.Type != "Exempt")
        {
            return ApiStruct.DeepEquals(spec, wanted);
        }

        return spec.Type == wanted.Type && spec.Limited is null;
    }

    private static void Absent(ApiStruct? part, string name, string type, ErrorList errors)
    {
        if (part is not null)
        {
            errors.Forbidden(FieldPath.Spec.Child(name), $"the type {type} has no such part");
        }
    }

    private static void Limited(LimitedPriorityLevelConfiguration limited, FieldPath path, ErrorList errors)
    {
        Shares(limited.NominalConcurrencyShares, limited.LendablePercent, path, errors);
        if (limited.BorrowingLimitPercent < 0)
        {
            errors.Invalid(path.Child("borrowingLimitPercent"), limited.BorrowingLimitPercent, "must not be negative");
        }

        var response = path.Child("limitResponse");
        switch (limited.LimitResponse.Type)
        {
            case "Reject" when limited.LimitResponse.Queuing is not null:
                errors.Forbidden(response.Child("queuing"), "the type Reject has no queues");
                break;
            case "Queue" when limited.LimitResponse.Queuing is null:
                errors.Required(response.Child("queuing"), "the type Queue needs it");
                break;
            case "Queue":
                Queuing(limited.LimitResponse.Queuing!, response.Child("queuing"), errors);
                break;
            case "Reject":
                break;
            default:
                errors.NotSupported(response.Child("type"), limited.LimitResponse.Type, "Queue", "Reject");
                break;
        }
    }

    private static void Shares(int? shares, int? lendable, FieldPath path, ErrorList errors)
    {
        if (shares < 0)
        {
            errors.Invalid(path.Child("nominalConcurrencyShares"), shares, "must not be negative");
        }

        if (lendable is < 0 or > 100)
        {
            errors.Invalid(path.Child("lendablePercent"), lendable, "must be between 0 and 100");
        }
    }

    private static void Queuing(QueuingConfiguration queuing, FieldPath path, ErrorList errors)
    {
        if (queuing.QueueLengthLimit <= 0)
        {
            errors.Invalid(path.Child("queueLengthLimit"), queuing.QueueLengthLimit, "must be positive");
        }

        if (queuing.Queues is <= 0 or > MostQueues)
        {
            errors.Invalid(path.Child("queues"), queuing.Queues, $"must be between 1 and {MostQueues}");
        }

        var hand = path.Child("handSize");
        if (queuing.HandSize <= 0)
        {
            errors.Invalid(hand, queuing.HandSize, "must be positive");
        }
        else if (queuing.HandSize > queuing.Queues)
        {
            errors.Invalid(hand, queuing.HandSize, $"must not be greater than queues ({queuing.Queues})");
        }
        else if (ShuffleShard.Bits(queuing.Queues, queuing.HandSize) > MostHandBits)
        {
            errors.Invalid(hand, queuing.HandSize, $"a hand of this size from so many queues takes more than {MostHandBits} bits of a flow's hash");
        }
    }
}
