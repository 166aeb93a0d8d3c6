namespace Hardway.ControllerManager;

/// <summary>Metrics could not be had or make no sense: a reason and a message for the condition ScalingActive.</summary>
internal sealed class MetricException(string reason, string message) : Exception(message)
{
    public string Reason { get; } = reason;
}
