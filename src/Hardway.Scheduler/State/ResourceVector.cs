using Hardway.Api;

namespace Hardway.Scheduler.State;

/// <summary>A resource's name, looked up once.</summary>
internal readonly record struct ResourceName(string Name)
{
    public ResourceKind Kind { get; } = Name switch
    {
        "cpu" => ResourceKind.Cpu,
        "memory" => ResourceKind.Memory,
        "ephemeral-storage" => ResourceKind.EphemeralStorage,
        _ => ResourceKind.Other,
    };
}

internal enum ResourceKind
{
    Cpu,
    Memory,
    EphemeralStorage,
    Other,
}

/// <summary>Amounts of resources as integers: CPU in thousandths, the others in their unit. Mutable: a node's sums change with its Pods.</summary>
internal sealed class ResourceVector
{
    public long MilliCpu { get; set; }
    public long Memory { get; set; }
    public long EphemeralStorage { get; set; }
    public long Pods { get; set; }
    public Dictionary<string, long>? Others { get; set; }

    public static ResourceVector From(Dictionary<string, Quantity>? quantities)
    {
        var vector = new ResourceVector();
        foreach (var (name, amount) in quantities ?? [])
        {
            vector.Set(name, name == "cpu" ? amount.MilliValue : amount.Value);
        }

        return vector;
    }

    public long Get(string name) => name switch
    {
        "cpu" => MilliCpu,
        "memory" => Memory,
        "ephemeral-storage" => EphemeralStorage,
        "pods" => Pods,
        _ => Others?.GetValueOrDefault(name) ?? 0,
    };

    public long Get(ResourceName name) => name.Kind switch
    {
        ResourceKind.Cpu => MilliCpu,
        ResourceKind.Memory => Memory,
        ResourceKind.EphemeralStorage => EphemeralStorage,
        _ => Get(name.Name),
    };

    public void Set(string name, long value)
    {
        switch (name)
        {
            case "cpu": MilliCpu = value; break;
            case "memory": Memory = value; break;
            case "ephemeral-storage": EphemeralStorage = value; break;
            case "pods": Pods = value; break;
            default: (Others ??= new(StringComparer.Ordinal))[name] = value; break;
        }
    }

    public void Add(ResourceVector other, int sign = 1)
    {
        MilliCpu += sign * other.MilliCpu;
        Memory += sign * other.Memory;
        EphemeralStorage += sign * other.EphemeralStorage;
        if (other.Others is null)
        {
            return;
        }

        foreach (var (name, value) in other.Others)
        {
            Set(name, Get(name) + (sign * value));
        }
    }

    public void Max(ResourceVector other)
    {
        MilliCpu = Math.Max(MilliCpu, other.MilliCpu);
        Memory = Math.Max(Memory, other.Memory);
        EphemeralStorage = Math.Max(EphemeralStorage, other.EphemeralStorage);
        foreach (var (name, value) in other.Others ?? [])
        {
            Set(name, Math.Max(Get(name), value));
        }
    }

    public ResourceVector Copy() => new()
    {
        MilliCpu = MilliCpu,
        Memory = Memory,
        EphemeralStorage = EphemeralStorage,
        Pods = Pods,
        Others = Others is null ? null : new(Others, StringComparer.Ordinal),
    };
}
