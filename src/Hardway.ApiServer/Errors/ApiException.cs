using System.Diagnostics.CodeAnalysis;
using Hardway.Api.Core.V1;

namespace Hardway.ApiServer.Errors;

/// <summary>A request ends with this Status. Made by <see cref="Statuses"/>; one place (Http/StatusWriter) writes it.</summary>
[SuppressMessage("Design", "CA1032", Justification = "Without a Status it means nothing.")]
internal sealed class ApiException(Status status, Exception? inner = null) : Exception(status.Message, inner)
{
    public Status Status { get; } = status;

    /// <summary>The answer is this text, as paths have that no API server stands behind; null for the Status.</summary>
    public string? Text { get; init; }

    public int Code => Status.Code;

    public string Reason => Status.Reason;

    public bool IsNotFound => Status.Reason == StatusReason.NotFound;

    public bool IsAlreadyExists => Status.Reason == StatusReason.AlreadyExists;

    public bool IsConflict => Status.Reason == StatusReason.Conflict;
}
