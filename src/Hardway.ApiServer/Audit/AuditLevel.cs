namespace Hardway.ApiServer.Audit;

/// <summary>How much of a request is noted.</summary>
internal enum AuditLevel
{
    None,
    Metadata,
    Request,
    RequestResponse,
}

/// <summary>When it is noted.</summary>
[Flags]
internal enum AuditStages
{
    None = 0,
    RequestReceived = 1,
    ResponseStarted = 2,
    ResponseComplete = 4,
    Panic = 8,
}

/// <summary>What the policy says about one request.</summary>
internal readonly record struct AuditDecision(AuditLevel Level, AuditStages Omitted, bool OmitManagedFields);
