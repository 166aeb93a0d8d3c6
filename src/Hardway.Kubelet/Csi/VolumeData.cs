using System.Text.Json;

namespace Hardway.Kubelet.Csi;

/// <summary>
/// What is noted on disk beside a published or staged volume before the driver is called, so that it can be taken away again by a kubelet that knows
/// nothing else of it. The file has upstream's name and fields.
/// </summary>
internal sealed record VolumeData(string Driver, string VolumeHandle, string AttachmentId, bool Ephemeral, string SpecName, string NodeName)
{
    private const string FileName = "vol_data.json";

    public static VolumeData? Read(string directory)
    {
        var path = Path.Combine(directory, FileName);
        if (!File.Exists(path))
            return null;
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            string Text(string name) => json.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
            var data = new VolumeData(Text("driverName"), Text("volumeHandle"), Text("attachmentID"), Text("volumeLifecycleMode") == "Ephemeral", Text("specVolID"), Text("nodeName"));
            return data.Driver.Length > 0 && data.VolumeHandle.Length > 0 ? data : null;
        }
        catch (JsonException)
        {
            // Half a file of a crash: the driver has not been called yet.
            return null;
        }
    }

    public void Write(string directory)
    {
        Directory.CreateDirectory(directory, (UnixFileMode)0x1E8);
        var path = Path.Combine(directory, FileName);
        using (var stream = File.Create(path + ".tmp"))
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("attachmentID", AttachmentId);
            json.WriteString("driverName", Driver);
            json.WriteString("nodeName", NodeName);
            json.WriteString("specVolID", SpecName);
            json.WriteString("volumeHandle", VolumeHandle);
            json.WriteString("volumeLifecycleMode", Ephemeral ? "Ephemeral" : "Persistent");
            json.WriteEndObject();
        }
        File.Move(path + ".tmp", path, true);
    }

    public static void Delete(string directory) => File.Delete(Path.Combine(directory, FileName));
}
