using System.Text;
using System.Text.Json;

namespace Hardway.Lab.CommandLine;

internal static class StatusView
{
    public static void Write(ClusterStatus status, OutputFormat format, TextWriter output)
    {
        if (format == OutputFormat.Json)
        {
            output.WriteLine(Json(status));
            return;
        }
        output.WriteLine($"{"MACHINE",-12}{"ADDRESS",-16}{"STATE",-10}PID");
        foreach (var (machine, state, pid) in status.Machines)
            output.WriteLine($"{machine.Name,-12}{machine.Address,-16}{state.ToString().ToLowerInvariant(),-10}{pid?.ToString() ?? "-"}");
        if (status.Nodes.Count > 0) output.WriteLine($"\n{"NODE",-12}READY");
        foreach (var (name, ready, message) in status.Nodes) output.WriteLine($"{name,-12}{(ready ? "yes" : "no: " + message)}");
        if (status.Facts.Count > 0) output.WriteLine();
        foreach (var (subject, good, seen) in status.Facts) output.WriteLine($"{(good ? "ok  " : "FAIL")}  {subject}: {seen}");
    }

    private static string Json(ClusterStatus status)
    {
        var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            JsonObjects.Write(writer, "machines", status.Machines, m =>
            {
                writer.WriteString("name", m.Machine.Name);
                writer.WriteString("address", m.Machine.Address.ToString());
                writer.WriteString("state", m.State.ToString().ToLowerInvariant());
                if (m.LeaderPid is { } value) writer.WriteNumber("pid", value);
            });
            JsonObjects.Write(writer, "nodes", status.Nodes, n =>
            {
                writer.WriteString("name", n.Name);
                writer.WriteBoolean("ready", n.Ready);
                if (n.Message.Length > 0) writer.WriteString("message", n.Message);
            });
            JsonObjects.Write(writer, "facts", status.Facts, f =>
            {
                writer.WriteString("subject", f.Subject);
                writer.WriteBoolean("good", f.Good);
                writer.WriteString("seen", f.Seen);
            });
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
