using System.Globalization;
using System.Text;
using Hardway.Linux.Machine;

namespace Hardway.Kubelet.Stats;

/// <summary>/metrics/cadvisor: the containers' and the machine's main numbers under the names that dashboards ask for. Pure.</summary>
internal static class CadvisorMetrics
{
    public static string Render(UsageSample sample, MachineInfo machine)
    {
        var text = new StringBuilder(16 << 10);
        var at = sample.Time.ToUnixTimeMilliseconds();
        Family(text, "cadvisor_version_info", "gauge", "The kernel and the system that the numbers are from.");
        text.Append(CultureInfo.InvariantCulture, $"cadvisor_version_info{{cadvisorRevision=\"\",cadvisorVersion=\"\",dockerVersion=\"\",kernelVersion=\"{Escape(machine.KernelVersion)}\",osVersion=\"{Escape(machine.OsImage)}\"}} 1\n");
        Family(text, "machine_cpu_cores", "gauge", "Number of logical CPU cores.");
        text.Append(CultureInfo.InvariantCulture, $"machine_cpu_cores{Machine(machine)} {machine.Cpus}\n");
        Family(text, "machine_memory_bytes", "gauge", "Amount of memory installed on the machine.");
        text.Append(CultureInfo.InvariantCulture, $"machine_memory_bytes{Machine(machine)} {machine.MemoryBytes}\n");
        var all = sample.Pods.SelectMany(p => p.Containers.Select(c => (Labels: Labels(p, c), Container: c))).ToList();
        Each("container_cpu_usage_seconds_total", "counter", "Cumulative cpu time consumed in seconds.", c => c.Usage.CpuNanoseconds / 1e9);
        Each("container_memory_working_set_bytes", "gauge", "Current working set in bytes.", c => c.Usage.WorkingSet);
        Each("container_memory_usage_bytes", "gauge", "Current memory usage in bytes, including all memory regardless of when it was accessed.", c => c.Usage.MemoryUsage);
        Each("container_memory_rss", "gauge", "Size of RSS in bytes.", c => c.Usage.Rss);
        Each("container_fs_usage_bytes", "gauge", "Number of bytes that are consumed by the container on this filesystem.", c => c.LayerBytes);
        Each("container_fs_inodes_total", "gauge", "Number of Inodes that the container uses.", c => c.LayerInodes);
        Each("container_start_time_seconds", "gauge", "Start time of the container since unix epoch in seconds.", c => c.StartTime.ToUnixTimeMilliseconds() / 1000d);
        Each("container_last_seen", "gauge", "Last time a container was seen by the exporter.", _ => at / 1000d);
        return text.ToString();

        void Each(string name, string type, string help, Func<ContainerUsage, double> value)
        {
            Family(text, name, type, help);
            foreach (var (labels, container) in all)
                text.Append(CultureInfo.InvariantCulture, $"{name}{labels} {value(container)} {at}\n");
        }
    }

    private static string Machine(MachineInfo machine) => $"{{boot_id=\"{Escape(machine.BootId)}\",machine_id=\"{Escape(machine.MachineId)}\",system_uuid=\"{Escape(machine.SystemUuid)}\"}}";

    private static string Labels(PodUsage pod, ContainerUsage container) =>
        $"{{container=\"{container.Name}\",id=\"{container.Id}\",image=\"{Escape(container.Image)}\",name=\"{container.Id}\",namespace=\"{pod.Namespace}\",pod=\"{pod.Name}\"}}";

    private static void Family(StringBuilder text, string name, string type, string help) => text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");

    private static string Escape(string value) => value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
