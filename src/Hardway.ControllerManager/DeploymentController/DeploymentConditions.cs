using Hardway.Api;
using Hardway.Api.Apps.V1;

namespace Hardway.ControllerManager;

/// <summary>A Deployment's status from its ReplicaSets: counts and the conditions Available, Progressing and ReplicaFailure.</summary>
internal static class DeploymentConditions
{
    public static DeploymentCondition? Find(DeploymentStatus status, string type) => status.Conditions?.Find(c => c.Type == type);

    /// <summary>Sets a condition; the transition time stays when the status does, and an equal condition is left alone.</summary>
    public static void Set(DeploymentStatus status, string type, string value, string reason, string message, DateTimeOffset now)
    {
        var current = Find(status, type);
        if (current is not null && current.Status == value && current.Reason == reason) return;
        var since = current is not null && current.Status == value ? current.LastTransitionTime : now;
        status.Conditions?.RemoveAll(c => c.Type == type);
        (status.Conditions ??= []).Add(new DeploymentCondition { Type = type, Status = value, Reason = reason, Message = message, LastUpdateTime = now, LastTransitionTime = since });
    }

    /// <summary>Counts, Available and ReplicaFailure; Progressing is kept as it is.</summary>
    public static DeploymentStatus Calculate(Deployment deployment, IReadOnlyCollection<ReplicaSet> all, ReplicaSet? newSet, DateTimeOffset now)
    {
        var available = all.Sum(s => s.Status.AvailableReplicas);
        var total = all.Sum(Rollout.Replicas);
        var status = new DeploymentStatus
        {
            ObservedGeneration = deployment.Metadata.Generation,
            Replicas = all.Sum(s => s.Status.Replicas),
            UpdatedReplicas = newSet?.Status.Replicas ?? 0,
            ReadyReplicas = all.Sum(s => s.Status.ReadyReplicas),
            AvailableReplicas = available,
            UnavailableReplicas = Math.Max(0, total - available),
            TerminatingReplicas = all.Sum(s => s.Status.TerminatingReplicas ?? 0),
            CollisionCount = deployment.Status.CollisionCount,
            Conditions = deployment.Status.Conditions?.ConvertAll(c => c.Clone()),
        };
        if (available >= Rollout.Replicas(deployment) - Rollout.MaxUnavailable(deployment))
            Set(status, "Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", now);
        else
            Set(status, "Available", "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.", now);
        var failure = all.OrderByDescending(s => s == newSet).SelectMany(s => s.Status.Conditions ?? []).FirstOrDefault(c => c.Type == "ReplicaFailure");
        if (failure is null) status.Conditions!.RemoveAll(c => c.Type == "ReplicaFailure");
        else Set(status, "ReplicaFailure", failure.Status, failure.Reason, failure.Message, now);
        return status;
    }

    /// <summary>Progressing, when there is a deadline: complete, moving, or stuck for too long.</summary>
    public static void SetProgress(Deployment deployment, DeploymentStatus status, ReplicaSet? newSet, DateTimeOffset now)
    {
        if (!HasDeadline(deployment)) { status.Conditions?.RemoveAll(c => c.Type == "Progressing"); return; }
        var current = Find(deployment.Status, "Progressing");
        if (status.Replicas == status.UpdatedReplicas && current?.Reason == "NewReplicaSetAvailable") return;
        var what = newSet is null ? $"Deployment \"{deployment.Metadata.Name}\"" : $"ReplicaSet \"{newSet.Metadata.Name}\"";
        if (Rollout.IsComplete(deployment, status)) Set(status, "Progressing", "True", "NewReplicaSetAvailable", $"{what} has successfully progressed.", now);
        else if (Rollout.IsProgressing(deployment, status)) Touch(status, $"{what} is progressing.", now);
        else if (IsTimedOut(deployment, status, now)) Set(status, "Progressing", "False", "ProgressDeadlineExceeded", $"{what} has timed out progressing.", now);
    }

    public static bool HasDeadline(Deployment deployment) => deployment.Spec.ProgressDeadlineSeconds is { } seconds and not int.MaxValue && seconds > 0;

    /// <summary>When the deadline passes, if it is running.</summary>
    public static DateTimeOffset? Deadline(Deployment deployment, DeploymentStatus status) =>
        HasDeadline(deployment) && Find(status, "Progressing") is { Reason: not ("NewReplicaSetAvailable" or "ProgressDeadlineExceeded" or "DeploymentPaused") } current
            ? current.LastUpdateTime?.AddSeconds(deployment.Spec.ProgressDeadlineSeconds!.Value) : null;

    private static bool IsTimedOut(Deployment deployment, DeploymentStatus status, DateTimeOffset now)
    {
        if (Find(status, "Progressing") is { Reason: "ProgressDeadlineExceeded" }) return true;
        return Deadline(deployment, status) is { } deadline && deadline < now;
    }

    /// <summary>Progress restarts the deadline: the update time moves although nothing else changes.</summary>
    private static void Touch(DeploymentStatus status, string message, DateTimeOffset now)
    {
        var current = Find(status, "Progressing");
        var since = current is { Status: "True" } ? current.LastTransitionTime : now;
        status.Conditions?.RemoveAll(c => c.Type == "Progressing");
        (status.Conditions ??= []).Add(new DeploymentCondition { Type = "Progressing", Status = "True", Reason = "ReplicaSetUpdated", Message = message, LastUpdateTime = now, LastTransitionTime = since });
    }
}
