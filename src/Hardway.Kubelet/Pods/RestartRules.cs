using Hardway.Api.Core.V1;

namespace Hardway.Kubelet.Pods;

/// <summary>
/// May a container that has ended be started again? Its own rules by exit code come first, then its own policy, then its Pod's; an init container of a Pod that always
/// restarts is done when it succeeds. Pure.
/// </summary>
internal static class RestartRules
{
    public static bool MayRestart(Pod pod, Container container, int exitCode)
    {
        if (Rule(container, exitCode) is { } rule)
            return rule.Action is "Restart" or "RestartAllContainers";
        return (container.RestartPolicy is { Length: > 0 } own ? own : pod.RestartPolicyOrDefault()) switch
        {
            "Always" => true,
            "OnFailure" => exitCode != 0,
            _ => false,
        };
    }

    /// <summary>This end of one container is a new beginning of the whole Pod, from its init containers on (KEP-5532).</summary>
    public static bool RestartsAll(Container container, int exitCode) => Rule(container, exitCode)?.Action == "RestartAllContainers";

    private static ContainerRestartRule? Rule(Container container, int exitCode) =>
        container.RestartPolicyRules?.Find(r => r.ExitCodes is { } codes && codes.Values?.Contains(exitCode) == (codes.Operator == "In"));
}
