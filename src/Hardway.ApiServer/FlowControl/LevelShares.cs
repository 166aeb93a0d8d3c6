using Hardway.Api.FlowControl.V1;

namespace Hardway.ApiServer.FlowControl;

/// <summary>The seats of a level: what is its own, down to what it may lend them, up to what it may borrow. Immutable.</summary>
internal readonly record struct LevelShares(int Nominal, int Least, int Most)
{
    /// <summary>The levels' shares of the server's seats.</summary>
    public static Dictionary<string, LevelShares> Of(IReadOnlyCollection<PriorityLevelConfiguration> levels, int seats)
    {
        var sum = Math.Max(1.0, levels.Sum(l => Nominals(l).Shares));
        return levels.ToDictionary(l => l.Metadata.Name, level =>
        {
            var (shares, lendable, borrowing) = Nominals(level);
            var nominal = (int)Math.Ceiling(seats * shares / sum);
            var least = nominal - (int)Math.Round(nominal * lendable / 100.0, MidpointRounding.AwayFromZero);
            var most = borrowing is { } percent ? nominal + (int)Math.Round(nominal * percent / 100.0, MidpointRounding.AwayFromZero) : seats;
            return new LevelShares(nominal, least, most);
        }, StringComparer.Ordinal);
    }

    private static (int Shares, int Lendable, int? Borrowing) Nominals(PriorityLevelConfiguration level) => level.Spec switch
    {
        { Limited: { } limited } => (limited.NominalConcurrencyShares ?? 30, limited.LendablePercent ?? 0, limited.BorrowingLimitPercent),
        { Exempt: { } exempt } => (exempt.NominalConcurrencyShares ?? 0, exempt.LendablePercent ?? 0, null),
        _ => (0, 0, null),
    };
}
