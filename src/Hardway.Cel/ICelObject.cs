using System.Diagnostics.CodeAnalysis;

namespace Hardway.Cel;

/// <summary>A value of the host or of a library with members of its own, such as the authorizer.</summary>
public interface ICelObject
{
    string TypeName { get; }

    bool TryGetField(string name, out object? value);

    bool TryCall(string name, object?[] arguments, CelBudget budget, out object? result);
}

/// <summary>A value that is lazily made, once (a policy's variables).</summary>
public sealed class CelLazy(Func<object?> make)
{
    private object? _value;
    private CelException? _error;
    private bool _isMade;

    [SuppressMessage("Usage", "CA2201", Justification = "The same error is seen by all who ask.")]
    public object? Value
    {
        get
        {
            if (!_isMade)
            {
                _isMade = true;
                try
                {
                    _value = make();
                }
                catch (CelException e) when (e is not CelBudgetException)
                {
                    _error = e;
                }
            }

            return _error is null ? _value : throw new CelException(_error.Message, _error);
        }
    }
}
