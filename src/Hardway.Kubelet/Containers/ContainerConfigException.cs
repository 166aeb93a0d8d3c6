namespace Hardway.Kubelet.Containers;

/// <summary>A container cannot be made as its Pod says (CreateContainerConfigError and its kin); the message is shown in the Pod's status.</summary>
internal sealed class ContainerConfigException(string reason, string message) : Exception(message)
{
    public string Reason { get; } = reason;
}
