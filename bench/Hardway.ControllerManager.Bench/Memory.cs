using System.Globalization;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;
using Container = Hardway.Api.Core.V1.Container;

namespace Hardway.ControllerManager.Bench;

/// <summary>What processes of this machine hold (VmRSS), and Pods to fill their caches with.</summary>
internal static class Memory
{
    private const int Callers = 16;

    public static void Print(string when, List<int> pids)
    {
        foreach (var pid in pids)
        {
            var status = File.ReadAllLines($"/proc/{pid}/status");
            var kb = long.Parse(Array.Find(status, l => l.StartsWith("VmRSS:", StringComparison.Ordinal))!.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{when}: process {pid} holds {kb / 1024} MB"));
        }
    }

    public static async Task FillAsync(KubeClient client, string ns, int pods, CancellationToken ct)
    {
        await Parallel.ForEachAsync(Enumerable.Range(0, pods), new ParallelOptions { MaxDegreeOfParallelism = Callers, CancellationToken = ct }, async (i, token) =>
        {
            var pod = new Pod
            {
                Metadata = new ObjectMeta { Namespace = ns, Name = string.Create(CultureInfo.InvariantCulture, $"filler-{i}"), Labels = new() { ["app"] = "filler", ["group"] = string.Create(CultureInfo.InvariantCulture, $"g{i % 50}") } },
                Spec = new PodSpec { SchedulerName = "nobody", Containers = [new Container { Name = "c", Image = "pause" }] },
            };
            await client.CreateAsync(pod, token);
        });
    }
}
