using System.Globalization;

namespace Hardway.ApiServer.Errors;

/// <summary>Collects everything that is wrong with an object, so that its writer hears of all at once. One thread.</summary>
internal sealed class ErrorList
{
    private readonly List<FieldError> _errors = [];

    public IReadOnlyList<FieldError> Errors => _errors;

    public bool Any => _errors.Count > 0;

    public int Count => _errors.Count;

    public void Add(FieldError error) => _errors.Add(error);

    public void AddRange(IEnumerable<FieldError> errors) => _errors.AddRange(errors);

    public void Required(FieldPath path, string why = "") =>
        Add(CauseReason.Required, path, why.Length == 0 ? "a value is required" : "a value is required: " + why);

    public void Invalid(FieldPath path, object? value, string why) => Add(CauseReason.Invalid, path, $"{Show(value)} is not valid: {why}");

    public void NotSupported(FieldPath path, object? value, params IEnumerable<string> supported)
    {
        var known = string.Join(", ", supported.Order(StringComparer.Ordinal).Select(s => '"' + s + '"'));
        Add(CauseReason.NotSupported, path, $"{Show(value)} is not supported" + (known.Length == 0 ? "" : "; supported are " + known));
    }

    public void Forbidden(FieldPath path, string why) => Add(CauseReason.Forbidden, path, "not allowed: " + why);

    public void Duplicate(FieldPath path, object? value) => Add(CauseReason.Duplicate, path, $"{Show(value)} stands more than once");

    public void NotFound(FieldPath path, object? value) => Add(CauseReason.NotFound, path, $"{Show(value)} was not found");

    public void TooLong(FieldPath path, int most, string what = "bytes") =>
        Add(CauseReason.TooLong, path, $"may not be longer than {most.ToString(CultureInfo.InvariantCulture)} {what}");

    public void TooMany(FieldPath path, int actual, int most) =>
        Add(CauseReason.TooMany, path, $"has {actual.ToString(CultureInfo.InvariantCulture)} items and may have at most {most.ToString(CultureInfo.InvariantCulture)}");

    public void TypeInvalid(FieldPath path, object? value, string why) => Add(CauseReason.TypeInvalid, path, $"{Show(value)} has the wrong type: {why}");

    public void Internal(FieldPath path, string why) => Add(CauseReason.Internal, path, why);

    private void Add(string reason, FieldPath path, string message) => _errors.Add(new FieldError(reason, path.ToString(), message));

    /// <summary>A value as a message shows it: short, on one line.</summary>
    private static string Show(object? value)
    {
        var text = value switch
        {
            null => "null",
            string s => '"' + s + '"',
            bool b => b ? "true" : "false",
            IFormattable f => f.ToString(null, CultureInfo.InvariantCulture),
            _ => value.ToString() ?? "",
        };
        return text.Length > 200 ? text[..200] + "..." : text;
    }
}
