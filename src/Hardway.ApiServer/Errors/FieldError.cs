namespace Hardway.ApiServer.Errors;

/// <summary>One thing that is wrong with one field: a cause of a Status.</summary>
internal sealed record FieldError(string Reason, string Field, string Message)
{
    public override string ToString() => Field + ": " + Message;
}

/// <summary>The reasons that a cause can have.</summary>
internal static class CauseReason
{
    public const string Required = "FieldValueRequired";
    public const string Invalid = "FieldValueInvalid";
    public const string NotSupported = "FieldValueNotSupported";
    public const string Forbidden = "FieldValueForbidden";
    public const string Duplicate = "FieldValueDuplicate";
    public const string NotFound = "FieldValueNotFound";
    public const string TooLong = "FieldValueTooLong";
    public const string TooMany = "FieldValueTooMany";
    public const string TypeInvalid = "FieldValueTypeInvalid";
    public const string Internal = "InternalError";
    public const string UnexpectedServerResponse = "UnexpectedServerResponse";
    public const string FieldManagerConflict = "FieldManagerConflict";
}
