namespace Hardway.Kubelet.Volumes;

/// <summary>A volume cannot be made now (FailedMount); tried again later.</summary>
internal sealed class VolumeException(string message) : Exception(message);
