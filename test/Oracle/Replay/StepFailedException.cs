namespace Hardway.Oracle.Tests.Replay;

/// <summary>A step that could not be carried out: what it needs is missing, or there was no answer.</summary>
internal sealed class StepFailedException(string message) : Exception(message);
