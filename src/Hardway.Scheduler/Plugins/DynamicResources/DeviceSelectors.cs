using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Hardway.Api.Resource.V1;
using Hardway.Cel;

namespace Hardway.Scheduler.Plugins.DynamicResources;

/// <summary>
/// CEL selectors of device classes and requests. Programs are compiled once, and a device's answer is kept as long as the device's slice is the
/// same object. Any thread.
/// </summary>
internal sealed class DeviceSelectors
{
    private const int MaxPrograms = 1_000;
    private const long Budget = 1_000_000;
    private static readonly CelEnvironment s_environment = new("device");
    private readonly ConcurrentDictionary<string, CelProgram> _programs = new(StringComparer.Ordinal);
    private readonly ConditionalWeakTable<Device, ConcurrentDictionary<string, bool>> _answers = [];

    /// <summary>Do all selectors select the device?</summary>
    /// <exception cref="CelException">An expression has no value for this device.</exception>
    /// <exception cref="CelSyntaxException">An expression is none.</exception>
    public bool Match(IEnumerable<DeviceSelector> selectors, string driver, Device device)
    {
        foreach (var selector in selectors)
        {
            if (selector.Cel is { } cel && !Match(cel.Expression, driver, device))
            {
                return false;
            }
        }

        return true;
    }

    private bool Match(string expression, string driver, Device device)
    {
        var answers = _answers.GetOrCreateValue(device);
        if (!answers.TryGetValue(expression, out var answer))
        {
            if (_programs.Count > MaxPrograms)
            {
                _programs.Clear();
            }

            var program = _programs.GetOrAdd(expression, s_environment.Compile);
            var variables = new Dictionary<string, object?>(StringComparer.Ordinal) { ["device"] = Describe(driver, device) };
            answers[expression] = answer = program.Evaluate(variables, new CelBudget(Budget)) is true;
        }

        return answer;
    }

    /// <summary>A name without a domain is in the driver's.</summary>
    private static Dictionary<string, object?> Describe(string driver, Device device)
    {
        var (attributes, capacity) = (new DomainMap(), new DomainMap());
        foreach (var (name, attribute) in device.Attributes ?? [])
        {
            attributes.Put(driver, name, DeviceAttributes.Value(attribute));
        }

        foreach (var (name, amount) in device.Capacity ?? [])
        {
            capacity.Put(driver, name, amount.Value);
        }

        return new(StringComparer.Ordinal)
        {
            ["driver"] = driver,
            ["attributes"] = attributes,
            ["capacity"] = capacity,
            ["allowMultipleAllocations"] = device.AllowMultipleAllocations == true,
        };
    }

    /// <summary>By domain, then by name. A domain that the device does not have is empty, not missing.</summary>
    private sealed class DomainMap() : Dictionary<string, object?>(StringComparer.Ordinal), IDictionary<string, object?>
    {
        public void Put(string driver, string name, object? value)
        {
            var (domain, id) = DeviceAttributes.Split(driver, name);
            if (!base.TryGetValue(domain, out var names))
            {
                this[domain] = names = new Dictionary<string, object?>(StringComparer.Ordinal);
            }

            ((Dictionary<string, object?>)names!)[id] = value;
        }

        bool IDictionary<string, object?>.TryGetValue(string key, out object? value)
        {
            if (!base.TryGetValue(key, out value))
            {
                value = new Dictionary<string, object?>(StringComparer.Ordinal);
            }

            return true;
        }
    }
}
