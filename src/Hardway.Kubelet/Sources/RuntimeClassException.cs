namespace Hardway.Kubelet.Sources;

/// <summary>A Pod names a RuntimeClass that is not there (yet); tried again later.</summary>
internal sealed class RuntimeClassException(string message) : IOException(message);
