using Hardway.Api.Batch.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.Batch;

/// <summary>What must hold of the status that a Job's controller writes.</summary>
internal static class JobStatusValidation
{
    public static void Validate(Job value, Job old, ErrorList errors)
    {
        var status = value.Status;
        foreach (var (name, count) in new (string, long?)[] { ("active", status.Active), ("succeeded", status.Succeeded), ("failed", status.Failed), ("ready", status.Ready), ("terminating", status.Terminating) })
        {
            WorkloadValidation.Count(errors, FieldPath.Status.Child(name), count);
        }

        Uncounted(status.UncountedTerminatedPods, errors);
        var (complete, failed) = (Has(status, "Complete"), Has(status, "Failed"));
        if (complete && failed)
        {
            errors.Invalid(FieldPath.Status.Child("conditions"), "", "a Job is not complete and failed at once");
        }

        if (status.CompletionTime is not null && !complete)
        {
            errors.Invalid(FieldPath.Status.Child("completionTime"), "", "cannot be set when there is no Complete=True condition");
        }

        if ((Has(old.Status, "Complete") && !complete) || (Has(old.Status, "Failed") && !failed))
        {
            errors.Invalid(FieldPath.Status.Child("conditions"), "", "a finished Job stays finished");
        }
    }

    private static void Uncounted(UncountedTerminatedPods? pods, ErrorList errors)
    {
        var path = FieldPath.Status.Child("uncountedTerminatedPods");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, uids) in new[] { ("succeeded", pods?.Succeeded), ("failed", pods?.Failed) })
        {
            for (var i = 0; i < uids?.Count; i++)
            {
                if (uids[i].Length == 0)
                {
                    errors.Invalid(path.Child(name).Index(i), uids[i], "must not be empty");
                }
                else if (!seen.Add(uids[i]))
                {
                    errors.Duplicate(path.Child(name).Index(i), uids[i]);
                }
            }
        }
    }

    private static bool Has(JobStatus status, string type) => status.Conditions?.Any(c => c.Type == type && c.Status == "True") == true;
}
