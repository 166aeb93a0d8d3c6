namespace Hardway.Provisioning.Steps;

/// <summary>The steps and what each waits for. Built once; throws when a dependency does not exist or goes round in a circle.</summary>
public sealed class StepGraph
{
    private readonly Dictionary<Step, IReadOnlyList<Step>> _dependencies = [];

    public StepGraph(IReadOnlyList<Step> steps)
    {
        Steps = steps;
        var byName = steps.ToLookup(s => s.Name);
        foreach (var step in steps)
        {
            _dependencies[step] = [.. step.DependsOn.SelectMany(d => Resolve(step, d, byName)).Distinct()];
        }

        CheckForCircles();
    }

    private StepGraph(StepGraph whole, Func<Step, bool> wanted)
    {
        Steps = [.. whole.Steps.Where(wanted)];
        foreach (var step in Steps)
        {
            _dependencies[step] = [.. whole._dependencies[step].Where(wanted)];
        }
    }

    public IReadOnlyList<Step> Steps { get; }

    /// <summary>Some of the steps, in the order of the whole; what they need of the others must be there.</summary>
    public StepGraph Only(Func<Step, bool> wanted) => new(this, wanted);

    public IReadOnlyList<Step> DependenciesOf(Step step) => _dependencies[step];

    private static IEnumerable<Step> Resolve(Step step, string dependency, ILookup<string, Step> byName)
    {
        var optional = dependency.EndsWith('?');
        var name = optional ? dependency[..^1] : dependency;
        var everywhere = name.EndsWith("@*", StringComparison.Ordinal);
        name = everywhere ? name[..^2] : name;
        var all = byName[name].Where(s => s != step).ToList();
        if (all.Count == 0 && !optional)
        {
            throw new InvalidOperationException($"step {step.Id} depends on {dependency}, which does not exist");
        }

        return !everywhere && all.FirstOrDefault(s => s.Machine == step.Machine) is { } same ? [same] : all;
    }

    private void CheckForCircles()
    {
        var done = new HashSet<Step>();
        var open = new HashSet<Step>();
        foreach (var step in Steps)
        {
            Visit(step);
        }

        void Visit(Step step)
        {
            if (done.Contains(step))
            {
                return;
            }

            if (!open.Add(step))
            {
                throw new InvalidOperationException($"step {step.Id} depends on itself");
            }

            foreach (var dependency in _dependencies[step])
            {
                Visit(dependency);
            }

            open.Remove(step);
            done.Add(step);
        }
    }
}
