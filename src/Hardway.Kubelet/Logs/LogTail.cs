using System.Text;

namespace Hardway.Kubelet.Logs;

/// <summary>The last lines of a log as text, for messages about containers that failed.</summary>
internal static class LogTail
{
    public static string Read(string path, int lines, int bytes)
    {
        try
        {
            using var stream = File.OpenRead(path);
            // The runtime's prefix of a line is about 45 bytes.
            stream.Position = Math.Max(0, stream.Length - bytes - lines * 64);
            var buffer = new byte[stream.Length - stream.Position];
            var raw = buffer.AsSpan(0, stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false));
            var texts = new List<string>();
            foreach (var range in raw.Split((byte)'\n'))
            {
                if (CriLogLine.TryParse(raw[range], out var line))
                    texts.Add(Encoding.UTF8.GetString(line.Content) + (line.IsPartial ? "" : "\n"));
            }
            var text = string.Concat(texts.TakeLast(lines));
            return text.Length > bytes ? text[^bytes..] : text;
        }
        catch (IOException)
        {
            return "";
        }
    }
}
