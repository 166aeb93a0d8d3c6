using System.Text;
using System.Text.Json;

namespace Hardway.Lab.CommandLine;

internal static class StatusView
{
    public static void Write(IReadOnlyList<MachineStatus> machines, OutputFormat format, TextWriter output)
    {
        if (format == OutputFormat.Json)
        {
            output.WriteLine(Json(machines));
            return;
        }
        output.WriteLine($"{"MACHINE",-12}{"ADDRESS",-16}{"STATE",-10}PID");
        foreach (var (machine, state, pid) in machines)
            output.WriteLine($"{machine.Name,-12}{machine.Address,-16}{state.ToString().ToLowerInvariant(),-10}{pid?.ToString() ?? "-"}");
    }

    private static string Json(IReadOnlyList<MachineStatus> machines)
    {
        var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("machines");
            foreach (var (machine, state, pid) in machines)
            {
                writer.WriteStartObject();
                writer.WriteString("name", machine.Name);
                writer.WriteString("address", machine.Address.ToString());
                writer.WriteString("state", state.ToString().ToLowerInvariant());
                if (pid is { } value) writer.WriteNumber("pid", value);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
