namespace Hardway.Kubelet.Pods;

/// <summary>The kubelet itself ends a Pod: what its status will say, and how long its containers have.</summary>
/// <param name="Disrupts">The Pod did nothing wrong: its status gets the condition DisruptionTarget.</param>
internal sealed record PodEviction(string Reason, string Message, long GraceSeconds, bool Disrupts);
