using System.Globalization;
using System.Text;
using Hardway.Provisioning.Ssh;

namespace Hardway.Provisioning;

/// <summary>
/// Every command that was run and every file that was written, appended to transcript.log in the cluster's directory (0600). Secret files
/// appear by path, mode and hash only. Safe for use from several tasks; entries are whole.
/// </summary>
internal sealed class Transcript : IDisposable
{
    private const int _longest = 8192;

    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly StreamWriter _writer;

    public Transcript(string path, TimeProvider time)
    {
        _time = time;
        var options = new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        _writer = new StreamWriter(new FileStream(path, options), new UTF8Encoding(false));
    }

    public void Command(string step, string machine, string command, CommandResult result)
    {
        var text = new StringBuilder();
        Head(text, step, machine, $"command, exit {result.ExitCode}, {result.Elapsed.TotalMilliseconds:0} ms{(result.TimedOut ? ", time limit reached" : "")}");
        Block(text, "$ ", command);
        Block(text, "> ", result.Output);
        Block(text, "! ", result.Error);
        Append(text);
    }

    public void File(string step, string machine, string path, string mode, string hash, ReadOnlySpan<byte> content, bool secret)
    {
        var text = new StringBuilder();
        Head(text, step, machine, $"file {path} mode {mode} sha256 {hash}{(secret ? " (secret: content not shown)" : "")}");
        if (!secret && content.IndexOf((byte)0) < 0)
        {
            Block(text, "| ", Encoding.UTF8.GetString(content[..Math.Min(content.Length, _longest)]));
        }

        Append(text);
    }

    public void Note(string step, string machine, string note)
    {
        var text = new StringBuilder();
        Head(text, step, machine, note);
        Append(text);
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _writer.Dispose();
        }
    }

    private void Head(StringBuilder text, string step, string machine, string what) => text
        .Append(_time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture))
        .Append(' ').Append(machine).Append(' ').Append(step).Append(": ").Append(what).Append('\n');

    private static void Block(StringBuilder text, string prefix, string content)
    {
        if (content.Length == 0)
        {
            return;
        }

        foreach (var line in content[..Math.Min(content.Length, _longest)].AsSpan().TrimEnd('\n').EnumerateLines())
        {
            text.Append("    ").Append(prefix).Append(line).Append('\n');
        }
    }

    private void Append(StringBuilder text)
    {
        lock (_lock)
        {
            _writer.Write(text);
            _writer.Flush();
        }
    }
}
