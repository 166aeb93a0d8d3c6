using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;

namespace Hardway.ApiServer.Errors;

/// <summary>The answers that are errors, in upstream's codes, reasons and details. Messages are ours.</summary>
internal static class Statuses
{
    public static ApiException NotFound(string group, string resource, string name) =>
        Make(404, StatusReason.NotFound, $"{Qualified(resource, group)} \"{name}\" not found", Details(group, resource, name));

    /// <summary>No such path.</summary>
    public static ApiException NoSuchResource() => Make(404, StatusReason.NotFound, "the server could not find the requested resource", new StatusDetails());

    /// <summary>No such path, and no API server that would have it.</summary>
    public static ApiException PageNotFound() => Text(404, StatusReason.NotFound, "404 page not found");

    /// <summary>An answer in plain text.</summary>
    public static ApiException Text(int code, string reason, string text) => new(new Status { StatusValue = "Failure", Message = text, Reason = reason, Code = code }) { Text = text + "\n" };

    public static ApiException AlreadyExists(string group, string resource, string name) =>
        Make(409, StatusReason.AlreadyExists, $"{Qualified(resource, group)} \"{name}\" already exists", Details(group, resource, name));

    public static ApiException Conflict(string group, string resource, string name, string why) =>
        Make(409, StatusReason.Conflict, $"Operation cannot be fulfilled on {Qualified(resource, group)} \"{name}\": {why}", Details(group, resource, name));

    public static ApiException Invalid(string group, string kind, string name, ErrorList errors) => Invalid(group, kind, name, errors.Errors);

    public static ApiException Invalid(string group, string kind, string name, IReadOnlyList<FieldError> errors)
    {
        var details = Details(group, kind, name);
        details.Causes = [.. errors.Select(e => new StatusCause { Reason = e.Reason, Field = e.Field, Message = e.Message })];
        var all = errors.Count == 1 ? errors[0].ToString() : "[" + string.Join(", ", errors) + "]";
        return Make(422, StatusReason.Invalid, $"{Qualified(kind, group)} \"{name}\" is invalid" + (errors.Count == 0 ? "" : ": " + all), details);
    }

    public static ApiException Forbidden(string group, string resource, string name, string why) =>
        Make(403, StatusReason.Forbidden, (name.Length == 0 ? Qualified(resource, group) : $"{Qualified(resource, group)} \"{name}\"") + " is forbidden: " + why, Details(group, resource, name));

    /// <summary>A path that is no resource.</summary>
    public static ApiException ForbiddenPath(string message) => Make(403, StatusReason.Forbidden, message, new StatusDetails());

    public static ApiException BadRequest(string message, StatusDetails? details = null) => Make(400, StatusReason.BadRequest, message, details);

    public static ApiException Unauthorized(string message = "Unauthorized") => Make(401, StatusReason.Unauthorized, message);

    public static ApiException MethodNotAllowed(string group, string resource, string action) =>
        Make(405, StatusReason.MethodNotAllowed, $"{action} is not supported on resources of kind \"{Qualified(resource, group)}\"", new StatusDetails { Group = group, Kind = resource });

    public static ApiException MethodNotAllowed() => Make(405, StatusReason.MethodNotAllowed, "the server does not allow this method on the requested resource", new StatusDetails());

    public static ApiException NotAcceptable(string message, bool details = true) => Make(406, StatusReason.NotAcceptable, message, details ? new StatusDetails() : null);

    public static ApiException UnsupportedMediaType(string message, StatusDetails? details = null) => Make(415, StatusReason.UnsupportedMediaType, message, details);

    public static ApiException Gone(string message) => Make(410, StatusReason.Gone, message);

    /// <summary>The revision asked for is no longer known; list again.</summary>
    public static ApiException Expired(string message) => Make(410, StatusReason.Expired, message);

    public static ApiException TooLarge(string message) => Make(413, StatusReason.RequestEntityTooLarge, message);

    public static ApiException TooManyRequests(string message, int retryAfterSeconds = 1) =>
        Make(429, StatusReason.TooManyRequests, message, new StatusDetails { RetryAfterSeconds = retryAfterSeconds });

    public static ApiException Timeout(string message, int retryAfterSeconds = 0) =>
        Make(504, StatusReason.Timeout, "Timeout: " + message, new StatusDetails { RetryAfterSeconds = retryAfterSeconds });

    public static ApiException ServerTimeout(string group, string resource, string action, int retryAfterSeconds = 0) =>
        Make(500, StatusReason.ServerTimeout, $"The {action} operation against {Qualified(resource, group)} could not be completed at this time, please try again.", new StatusDetails { Group = group, Kind = resource, RetryAfterSeconds = retryAfterSeconds });

    public static ApiException ServiceUnavailable(string message) => Make(503, StatusReason.ServiceUnavailable, message);

    /// <summary>A plain error of the server: 500, with one cause without a reason.</summary>
    public static ApiException Internal(string message, Exception? inner = null) =>
        Make(500, StatusReason.InternalError, "Internal error occurred: " + message, new StatusDetails { Causes = [new StatusCause { Message = message }] }, inner);

    /// <summary>An error without a Status of its own, as upstream's code returns them: 500 without reason and details.</summary>
    public static ApiException Plain(string message) => Make(500, "", message);

    public static ApiException Make(int code, string reason, string message, StatusDetails? details = null, Exception? inner = null) =>
        new(new Status { StatusValue = "Failure", Message = message, Reason = reason, Details = details, Code = code }, inner);

    public static Status Success(string group, string resource, string name, string uid) =>
        new() { StatusValue = "Success", Details = new StatusDetails { Name = name, Group = group, Kind = resource, Uid = uid } };

    private static StatusDetails Details(string group, string kind, string name) => new() { Name = name, Group = group, Kind = kind };

    private static string Qualified(string resource, string group) => group.Length == 0 ? resource : resource + "." + group;
}
