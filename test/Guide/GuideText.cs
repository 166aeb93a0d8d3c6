using System.Text.RegularExpressions;

namespace Hardway.Guide;

/// <summary>
/// Reads the blocks of one module, strictly, so that nothing in it that looks like a command or an output escapes being run and compared:
/// <list type="bullet">
/// <item>a fence <c>sh</c> holds commands; the line of text before it says where, <c>**On jumpbox:**</c> or <c>**On server-0, server-1:**</c>;</item>
/// <item>a fence <c>text</c> directly after it holds its output;</item>
/// <item>a fence <c>diagram</c> is a picture and holds neither; any other fence is an error.</item>
/// </list>
/// </summary>
internal static partial class GuideText
{
    public static IReadOnlyList<GuideBlock> Read(string file, string text)
    {
        var lines = text.ReplaceLineEndings("\n").Split('\n');
        var blocks = new List<GuideBlock>();
        // The last line that is neither blank nor in a fence; null right behind commands, where an output may follow.
        string? before = "";
        for (var i = 0; i < lines.Length; i++)
        {
            if (!lines[i].StartsWith("```", StringComparison.Ordinal))
            {
                if (lines[i].Trim().Length > 0) before = lines[i];
                continue;
            }
            var (kind, start) = (lines[i][3..], i);
            var end = Array.FindIndex(lines, i + 1, l => l == "```");
            if (end < 0) throw Wrong(file, start, "the fence has no end");
            var content = string.Join('\n', lines[(i + 1)..end]);
            i = end;
            switch (kind)
            {
                case "sh":
                    var on = On().Match(before ?? "");
                    if (!on.Success) throw Wrong(file, start, "commands without a line such as **On jumpbox:** before them");
                    blocks.Add(new GuideBlock(file, start + 1, on.Groups[1].Value.Split(", "), content, ""));
                    before = null;
                    continue;
                case "text" when before is null:
                    blocks[^1] = blocks[^1] with { Expected = content };
                    break;
                case "text":
                    throw Wrong(file, start, "an output that belongs to no commands");
                case "diagram":
                    break;
                default:
                    throw Wrong(file, start, $"a fence '{kind}': it can be sh, text or diagram");
            }
            before = "";
        }
        return blocks;
    }

    private static FormatException Wrong(string file, int line, string what) => new($"{file}:{line + 1}: {what}");

    [GeneratedRegex(@"^\*\*On ([a-z0-9-]+(, [a-z0-9-]+)*):\*\*$")]
    private static partial Regex On();
}
