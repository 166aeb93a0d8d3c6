using Hardway.Hosting;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Planning;

/// <summary>Runs every step's check against the machines and no step's work, except what the cluster's own files need, which is done in a copy of them.</summary>
internal static class Plan
{
    public static async Task<StepReport> RunAsync(
        ProvisioningOptions options, Func<ClusterModel, IReadOnlyList<Step>> steps, Action<StepEvent> observer, CancellationToken cancellation)
    {
        var scratch = Directory.CreateTempSubdirectory("hardway-plan").FullName; // 0700
        try
        {
            Copy(options.ClusterDirectory, scratch);
            var cluster = new ClusterModel(options with { ClusterDirectory = scratch, Ssh = options.Ssh with { Patience = TimeSpan.FromSeconds(5) } });
            await using (cluster.ConfigureAwait(false))
            {
                var graph = new StepGraph([.. steps(cluster).Select(s => new PlannedStep(s))]);
                var report = await new StepRunner(graph, observer, options.Time).RunAsync(cancellation).ConfigureAwait(false);
                return report with { Results = [.. report.Results.Select(r => r with { Changes = [.. r.Changes.Select(c => Real(c, scratch, options.ClusterDirectory))] })] };
            }
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private static StepItem Real(StepItem item, string scratch, string real)
        => item with { Name = item.Name.Replace(scratch, real, StringComparison.Ordinal), Detail = item.Detail.Replace(scratch, real, StringComparison.Ordinal) };

    internal static void Copy(string from, string to)
    {
        if (!Directory.Exists(from))
        {
            return;
        }

        foreach (var folder in Directory.GetDirectories(from))
        {
            var target = Path.Combine(to, Path.GetFileName(folder));
            Directory.CreateDirectory(target, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            Copy(folder, target);
        }

        foreach (var file in Directory.GetFiles(from).Where(f => Path.GetFileName(f) != "transcript.log"))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }
    }

    /// <summary>A step that looks and does nothing; "changed" means that the step would change what is listed.</summary>
    private sealed class PlannedStep(Step step) : Step(step.Name, step.Machine, step.DependsOn)
    {
        public override string Explain => step.Explain;

        public override string Expected => step.Expected;

        public override IReadOnlyList<StepItem> Contents => step.Contents;

        public override async Task<StepCheck> CheckAsync(StepContext context, CancellationToken cancellation)
        {
            try
            {
                return await step.CheckAsync(context, cancellation).ConfigureAwait(false);
            }
            catch (ComponentException e) when (step is { Machine: "", IsLocal: false })
            {
                // What is in the cluster cannot be asked while there is none.
                return StepCheck.Missing($"the API does not answer yet ({e.Message})", step.Contents);
            }
        }

        public override Task ApplyAsync(StepContext context, CancellationToken cancellation)
            => step.IsLocal ? step.ApplyAsync(context, cancellation) : Task.CompletedTask;
    }
}
