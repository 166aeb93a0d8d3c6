namespace Hardway.Cel;

/// <summary>How much work an evaluation may do; one number for all expressions that share it. About one unit a step, and one for ten characters looked at.</summary>
public sealed class CelBudget(long limit)
{
    private long _left = limit;

    public long Left => _left;

    public void Take(long cost)
    {
        _left -= cost;
        if (_left < 0)
        {
            throw new CelBudgetException();
        }
    }

    internal void TakeText(int characters) => Take((characters / 10) + 1);
}
