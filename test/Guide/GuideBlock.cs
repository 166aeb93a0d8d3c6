namespace Hardway.Guide;

/// <summary>
/// Commands of the guide, the machines on which its text says they are run, and the output that it says they have. A block without an output block prints nothing.
/// </summary>
internal sealed record GuideBlock(string File, int Line, IReadOnlyList<string> Machines, string Script, string Expected)
{
    public const string Jumpbox = "jumpbox";

    public override string ToString() => $"{File}:{Line}";
}
